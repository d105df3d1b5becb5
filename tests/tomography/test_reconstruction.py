"""Weighted back-projection and SIRT against what theory says of them."""

import math

import pytest
import torch

from difftem.tomography.projector import TiltProjector
from difftem.tomography.ramp import ramp, ramp_filtered, tilt_weights
from difftem.tomography.reconstruction import SirtOptions, sirt, weighted_back_projection

SIDE = 48


def coordinates(side=SIDE, rows=1):
    z, y, x = (torch.arange(n, dtype=torch.float64) - n // 2 for n in (side, rows, side))
    return torch.meshgrid(z, y, x, indexing="ij")


def phantom(side=SIDE, rows=1):
    z, _, x = coordinates(side, rows)
    body = ((x / 16) ** 2 + (z / 10) ** 2 < 1).float()
    hole = ((x - 5) ** 2 + (z - 2) ** 2 < 16).float()
    return body - 0.5 * hole


def series(volume, tilts_deg):
    _, ny, nx = volume.shape
    return TiltProjector(tilts_deg, tuple(volume.shape), (ny, nx))(volume)


def test_all_tilts_of_half_a_turn_give_the_density_back():
    z, _, x = coordinates()
    volume = torch.exp(-((x - 4) ** 2 + (z + 3) ** 2) / 32)
    tilts = torch.arange(-90.0, 90.0, 2.0)
    found = weighted_back_projection(series(volume, tilts), torch.deg2rad(tilts), SIDE)
    assert float((found - volume).abs().max()) < 0.02
    assert float(found[:, 0].sum() / volume[:, 0].sum()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("highest", [60.0, 40.0])
def test_a_missing_wedge_has_no_power_and_lengthens_a_point_as_theory_says(highest):
    z, _, x = coordinates(64, 1)
    volume = torch.exp(-(x**2 + z**2) / (2 * 3**2))  # a round spectrum, well sampled
    tilts = torch.arange(-highest, highest + 1, 2.0)
    found = weighted_back_projection(series(volume, tilts), torch.deg2rad(tilts), 64)[:, 0]
    power = torch.fft.fft2(found).abs().square()
    k = torch.fft.fftfreq(64, dtype=torch.float64)
    k_z, k_x = torch.meshgrid(k, k, indexing="ij")
    angle = torch.rad2deg(torch.atan2(k_z.abs(), k_x.abs()))
    middle = torch.hypot(k_x, k_z) > 2.5 / 64  # the mean is in no direction
    missing = middle & (angle > highest + 6)
    assert float(power[missing].sum() / power[middle].sum()) < 2e-3
    # Curvatures at the top: the second moments of what is seen of a round spectrum.
    spectrum = torch.fft.fft2(torch.fft.ifftshift(found)).real
    low = torch.hypot(k_x, k_z) < 0.15
    a = math.radians(highest + 1)
    product = math.sin(a) * math.cos(a)
    ratio = (k_x**2 * spectrum)[low].sum() / (k_z**2 * spectrum)[low].sum()
    assert float(ratio) == pytest.approx((a + product) / (a - product), rel=0.03)


def test_the_residual_of_sirt_never_rises_and_the_box_is_kept(generator):
    tilts = torch.arange(-60.0, 61.0, 4.0)
    images = series(phantom(), tilts)
    noisy = images + torch.randn(images.shape, generator=generator)
    angles = torch.deg2rad(tilts)
    for box in ((-math.inf, math.inf), (0.0, 1.0)):
        found = sirt(noisy, angles, SIDE, SirtOptions(25, 1.0, *box))
        assert len(found.residuals) == 26
        assert found.residuals[0] == pytest.approx(1.0)
        assert (torch.tensor(found.residuals).diff() < 0).all()
        assert float(found.volume.min()) >= box[0]
        assert float(found.volume.max()) <= box[1]


def test_sirt_comes_nearer_to_a_phantom_than_weighted_back_projection():
    tilts = torch.arange(-60.0, 61.0, 3.0)
    volume = phantom()
    images, angles = series(volume, tilts), torch.deg2rad(tilts)
    iterated = sirt(images, angles, SIDE, SirtOptions(40, lowest=0.0)).volume
    weighted = weighted_back_projection(images, angles, SIDE)
    errors = [float((each - volume).norm() / volume.norm()) for each in (iterated, weighted)]
    assert errors[0] < 0.35 < errors[1]


def test_sirt_ends_at_the_residual_that_was_asked_for():
    tilts = torch.arange(-60.0, 61.0, 6.0)
    told = []
    found = sirt(
        series(phantom(rows=1), tilts),
        torch.deg2rad(tilts),
        SIDE,
        SirtOptions(50, stop_at=0.25),
        lambda iteration, residual: told.append((iteration, residual)),
    )
    *_, before, met, last = found.residuals
    assert last < met <= 0.25 < before
    assert told == list(enumerate(found.residuals[:-1], start=1))
    assert len(told) < 50


def test_the_last_residual_is_that_of_the_volume_that_is_given():
    tilts = torch.deg2rad(torch.arange(-60.0, 61.0, 12.0))
    images = series(phantom(rows=2), torch.rad2deg(tilts))
    short, longer = (sirt(images, tilts, SIDE, SirtOptions(n)).residuals for n in (3, 4))
    assert (len(short), len(longer)) == (4, 5)
    assert longer[:4] == pytest.approx(short, rel=1e-6)  # what the next iteration starts from
    assert longer[4] < longer[3]


def test_a_blank_series_gives_a_blank_volume():
    found = sirt(torch.zeros(3, 2, 8), torch.tensor([-0.5, 0.0, 0.5]), 4, SirtOptions(3))
    assert found.volume.abs().max() == 0
    assert found.residuals == [0.0, 0.0]


def test_a_reconstruction_is_differentiable_by_its_images(generator):
    angles = torch.tensor([-0.7, 0.05, 0.6], dtype=torch.float64)
    images = torch.rand(3, 1, 5, generator=generator, dtype=torch.float64, requires_grad=True)

    def iterated(given):
        return sirt(given, angles, 2, SirtOptions(2, lowest=0.0)).volume

    def weighted(given):
        return weighted_back_projection(given, angles, 2, 0.4, 0.05)

    assert torch.autograd.gradcheck(iterated, (images,))
    assert torch.autograd.gradcheck(weighted, (images,))


def test_the_ramp_is_that_of_sampled_rows_and_is_cut_off():
    k = torch.fft.rfftfreq(256, dtype=torch.float64)
    whole = ramp(256, 0.5, 0.0)
    assert torch.allclose(whole[4:-4], k[4:-4], atol=2e-3)
    assert 0 < float(whole[0]) < 2e-3
    cut = ramp(256, 0.35, 0.05)
    assert torch.equal(cut[k <= 0.35], whole[k <= 0.35])
    assert float(cut[k == 0.40625] / whole[k == 0.40625]) == pytest.approx(
        math.exp(-(0.05625**2) / (2 * 0.05**2))
    )
    assert float(ramp(256, 0.35, 0.0)[k > 0.35].abs().max()) == 0
    with pytest.raises(ValueError, match=r"at most 0\.5 cycles/pixel, got 0\.6"):
        ramp(256, 0.6, 0.0)


def test_rows_that_go_on_at_their_ends_do_not_ring_there():
    constant = torch.full((1, 1, 100), 7.0)
    assert float(ramp_filtered(constant).abs().max()) < 0.01


def test_tilts_stand_for_the_angle_between_their_neighbours_in_any_order():
    tilts = torch.deg2rad(torch.tensor([10.0, -10.0, 0.0, 40.0, 0.0]))
    expected = torch.deg2rad(torch.tensor([20.0, 10.0, 5.0, 30.0, 5.0]))
    assert torch.allclose(tilt_weights(tilts), expected)


def test_values_that_make_no_sense_are_named():
    images, angles = torch.zeros(3, 4, 4), torch.zeros(3)
    with pytest.raises(ValueError, match="thickness must be at least 1 voxel, got 0"):
        sirt(images, angles, 0)
    with pytest.raises(ValueError, match="for 2 tilts, got"):
        weighted_back_projection(images, angles[:2], 4)
    for name, value in (("iterations", 0), ("relaxation", 2.0), ("stop_at", 1.0)):
        with pytest.raises(ValueError, match=str(value)):
            SirtOptions(**{name: value})
    with pytest.raises(ValueError, match="lowest density must be below the highest"):
        SirtOptions(lowest=1.0, highest=0.0)
