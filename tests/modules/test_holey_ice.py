import math

import pytest
import torch

from difftem.functional.film import carbon_per_ice
from difftem.functional.pose import rotation_from_vector
from difftem.modules import Beam
from difftem.modules.holey_ice import HoleyIce

BEAM = Beam(200.0)
FLAT = {"center_thickness_nm": 60.0, "edge_thickness_nm": 60.0}


def stage(degrees):
    angle = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float64))
    return rotation_from_vector(torch.stack([0 * angle, angle, 0 * angle], -1))


def test_mean_free_path_darkens_by_the_tilted_thickness():
    film = HoleyIce(10.0, mean_free_path_nm=200.0, **FLAT)
    image = film(torch.ones(3, 8, 9, dtype=torch.float64), BEAM, stage([0.0, 30.0, 60.0]))
    expected = torch.exp(-0.3 / torch.cos(torch.deg2rad(torch.tensor([0.0, 30.0, 60.0]).double())))
    torch.testing.assert_close(image, expected[:, None, None].expand(3, 8, 9), rtol=1e-6, atol=0)


def test_the_measured_path_follows_the_voltage():
    for kv in (100.0, 200.0, 300.0):
        beta2 = 1 - 1 / (1 + kv / 510.99895) ** 2
        path_nm = 300 * beta2 / (1 - 1 / (1 + 300 / 510.99895) ** 2)
        image = HoleyIce(10.0, **FLAT)(torch.ones(4, 4).double(), Beam(kv), stage(0.0))
        assert image[0, 0].item() == pytest.approx(math.exp(-60 / path_nm), rel=1e-6)
    with pytest.raises(ValueError, match="can be learned from a number in nm only"):
        HoleyIce(5.0, learnable=["mean_free_path_nm"])


def test_field_of_pixels_is_centred_as_asked():
    parabola = {"hole_diameter_nm": 100.0, "center_thickness_nm": 20.0, "edge_thickness_nm": 80.0}
    ice, support = HoleyIce(20.0, **parabola).paths((8, 9), stage(0.0))
    assert float(ice[4, 4]) == pytest.approx(200.0)
    assert float(ice[4, 6]) == pytest.approx(200 + 600 * 40**2 / 500**2, rel=1e-6)
    assert support.max() == 0
    between, _ = HoleyIce(20.0, between_pixels=True, **parabola).paths((8, 9), stage(0.0))
    assert torch.allclose(between, between.flip(0))
    assert float(between[3, 4]) == pytest.approx(200 + 600 * 10**2 / 500**2, rel=1e-6)


def test_support_lies_around_the_displaced_hole():
    film = HoleyIce(50.0, hole_diameter_nm=40.0, offset_nm=(20.0, 0.0), **FLAT)
    ice, support = film.paths((12, 20), stage(0.0))
    middle = (ice > 0).nonzero().double().mean(0)
    assert middle.tolist() == pytest.approx([6, 14])
    torch.testing.assert_close(ice + support, torch.full((12, 20), 600.0).double())


def test_scattered_electrons_that_pass_the_aperture_arrive():
    film = HoleyIce(5.0, mean_free_path_nm=None, aperture_mrad=8.3, **FLAT)
    defocus = torch.tensor([1e4, 3e4], dtype=torch.float64)
    image = torch.ones(2, 16, 16)
    image[:, 8, 8] = 3
    got = film(image, BEAM, stage(0.0), defocus)
    assert got.dtype == torch.float32
    passed = got.mean((1, 2)) / image.mean((1, 2))
    assert math.exp(-600 / 832.06) < passed[0] < 1
    assert passed[0].item() == pytest.approx(passed[1].item(), rel=1e-5)
    # A larger defocus leaves less of the point where it was.
    assert got[1, 8, 8] < got[0, 8, 8]


def test_thickness_is_learned_through_both_models():
    for options in ({}, {"mean_free_path_nm": None, "aperture_mrad": 8.3}):
        film = HoleyIce(5.0, learnable=("center_thickness_nm",), **FLAT, **options)
        image = film(torch.ones(6, 6), BEAM, stage(10.0), torch.tensor(1e4).double())
        image.sum().backward()
        assert film.parametrizations.center_thickness_nm.original.grad < 0


def test_carbon_counts_more_than_ice():
    film = HoleyIce(50.0, hole_diameter_nm=1.0, mean_free_path_nm=100.0, **FLAT)
    image = film(torch.ones(4, 4, dtype=torch.float64), BEAM, stage(0.0))
    expected = math.exp(-0.6 * carbon_per_ice(BEAM.energy).item())
    assert image[0, 0].item() == pytest.approx(expected, rel=1e-6)


def test_bad_films_are_refused():
    with pytest.raises(ValueError, match="hole_diameter_nm must be positive, got -1"):
        HoleyIce(5.0, hole_diameter_nm=-1.0)
    with pytest.raises(ValueError, match="mean_free_path_nm must be positive"):
        HoleyIce(5.0, mean_free_path_nm=0.0)
    with pytest.raises(ValueError, match="needs aperture_mrad"):
        HoleyIce(5.0, mean_free_path_nm=None)
    with pytest.raises(ValueError, match="needs the defocus"):
        film = HoleyIce(5.0, mean_free_path_nm=None, aperture_mrad=8.0)
        film(torch.ones(4, 4), BEAM, stage(0.0))
