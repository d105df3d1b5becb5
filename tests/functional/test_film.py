import math

import pytest
import torch

from difftem.functional.film import attenuate, carbon_per_ice, film_paths, scatter_in_film
from difftem.functional.pose import rotation_from_euler, rotation_from_vector

RADIUS, CENTER, EDGE = 500.0, 120.0, 300.0
X = torch.linspace(-900, 900, 13, dtype=torch.float64)
Y = torch.linspace(-800, 700, 9, dtype=torch.float64)


def scalar(value):
    return torch.tensor(value, dtype=torch.float64)


def paths(rotation, center=CENTER, edge=EDGE, offset=None, x=X, y=Y, radius=RADIUS):
    offset = None if offset is None else scalar(offset)
    return film_paths(x, y, rotation, scalar(radius), scalar(center), scalar(edge), offset)


def marched(rotation, center, edge, offset, step=0.5):
    """Path lengths by walking along each ray and asking at every step where we are."""
    length = 4 * (RADIUS + edge) / abs(float(rotation[2, 2]))
    w = torch.arange(-length / 2, length / 2, step, dtype=torch.float64)
    ice, support = torch.zeros(2, len(Y), len(X), dtype=torch.float64)
    for j, y in enumerate(Y):
        points = torch.stack(torch.broadcast_tensors(X[:, None], y, w), -1)  # microscope frame
        sx, sy, sz = (points @ rotation).unbind(-1)  # S^T applied to each
        rho2 = (sx - offset[0]) ** 2 + (sy - offset[1]) ** 2
        surface = (center + (edge - center) * rho2 / RADIUS**2) / 2
        hole = rho2 < RADIUS**2
        ice[j] = step * (hole & (sz.abs() < surface)).sum(-1)
        support[j] = step * (~hole & (sz.abs() < edge / 2)).sum(-1)
    return ice, support


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("center", "edge"), [(120.0, 300.0), (200.0, 200.0), (260.0, 180.0)])
def test_path_lengths_are_those_of_marching_along_the_rays(seed, center, edge):
    generator = torch.Generator().manual_seed(seed)
    angles = torch.rand(3, generator=generator, dtype=torch.float64) * scalar([6.28, 1.2, 6.28])
    rotation = rotation_from_euler(angles)
    offset = (100 * torch.randn(2, generator=generator)).tolist()
    got = paths(rotation, center, edge, offset)
    expected = marched(rotation, center, edge, offset)
    for g, e in zip(got, expected, strict=True):
        assert (g - e).abs().max() < 2.0  # a step at each of up to four surfaces
    assert got[0].max() > 0
    assert got[1].max() > 0


def test_untilted_hole_is_a_paraboloid_and_the_rest_support():
    ice, support = paths(torch.eye(3, dtype=torch.float64), offset=(30.0, -40.0))
    rho2 = (X - 30) ** 2 + (Y[:, None] + 40) ** 2
    inside = rho2 < RADIUS**2
    expected = CENTER + (EDGE - CENTER) * rho2 / RADIUS**2
    torch.testing.assert_close(ice, torch.where(inside, expected, 0.0))
    torch.testing.assert_close(support, torch.where(inside, 0.0, EDGE).double())


def test_plane_film_follows_the_inverse_cosine_and_total_length_is_that_of_a_slab():
    tilts = torch.deg2rad(torch.tensor([-60.0, -0.01, 0.0, 30.0, 80.0], dtype=torch.float64))
    rotation = rotation_from_vector(torch.stack([0 * tilts, tilts, 0 * tilts], -1))
    ice, support = paths(rotation, 200.0, 200.0)
    assert ice.shape == (5, len(Y), len(X))
    slab = (200 / torch.cos(tilts))[:, None, None].expand_as(ice)
    torch.testing.assert_close(ice + support, slab, rtol=1e-6, atol=1e-6)
    wide = paths(rotation, 200.0, 200.0, radius=1e6)
    torch.testing.assert_close(wide[0], slab, rtol=1e-6, atol=1e-6)


def test_tilted_stage_moves_a_displaced_hole_as_it_moves_the_specimen():
    rotation = rotation_from_vector(scalar([0.4, 0.2, 0.3]))
    place = rotation @ scalar([250.0, -100.0, 0.0])
    moved = paths(rotation, offset=(250.0, -100.0))
    centered = paths(rotation, x=X - place[0], y=Y - place[1])
    # The hole is seen at the projection of its centre.
    for a, b in zip(moved, centered, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-7)


def test_film_edge_on_is_left_out_and_an_upside_down_one_is_the_same():
    edge_on = rotation_from_vector(scalar([math.pi / 2, 0.0, 0.0]))
    assert all(float(each.abs().max()) == 0 for each in paths(edge_on))
    rotation = rotation_from_vector(scalar([0.5, 0.0, 0.0]))
    turned = rotation @ torch.diag(scalar([1.0, -1.0, -1.0]))
    for a, b in zip(paths(rotation), paths(turned), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("tilt", [0.0, 0.6])
def test_gradient_reaches_thickness_and_radius(tilt):
    rotation = rotation_from_vector(scalar([tilt, 0.1 * tilt, 0.0]))
    inputs = [scalar(v).requires_grad_() for v in (RADIUS, CENTER, EDGE)]
    torch.autograd.gradcheck(
        lambda r, c, e: film_paths(X[::4], Y[::4], rotation, r, c, e), inputs, eps=1e-4, atol=1e-5
    )


def scattered(image, ice, support, attenuation=None, ratio=1.3):
    if attenuation is None:
        attenuation = torch.full((image.shape[-2], image.shape[-1] // 2 + 1), 1e-3).double()
    return scatter_in_film(image, ice, support, attenuation, ratio)


def test_even_film_multiplies_each_frequency(generator):
    image = 1 + 0.1 * torch.rand(12, 14, generator=generator, dtype=torch.float64)
    loss = 1e-3 * (1 + torch.rand(12, 8, generator=generator, dtype=torch.float64))
    ice = torch.full((12, 14), 400.0).double()
    got = scattered(image, ice, torch.zeros_like(ice), loss)
    expected = torch.fft.irfft2(torch.fft.rfft2(image) * torch.exp(-400 * loss), s=(12, 14))
    torch.testing.assert_close(got, expected)


def test_uneven_film_without_blur_darkens_by_its_thickness():
    image = torch.ones(10, 40, dtype=torch.float64)
    ice = torch.linspace(400, 800, 40, dtype=torch.float64).expand(10, 40)
    got = scattered(image, ice, torch.zeros_like(ice))
    # Linear interpolation between ten thicknesses: 1/8 h² of the second derivative.
    assert (got - torch.exp(-ice * 1e-3)).abs().max() < (40e-3) ** 2 / 8
    assert got[:, 0] == pytest.approx(math.exp(-0.4))


def test_support_absorbs_more_than_ice_and_pixels_beyond_the_ice_are_exact():
    image = torch.ones(2, 8, 9, dtype=torch.float64)
    ice = torch.full((8, 9), 500.0).double()
    support = torch.zeros(8, 9).double()
    ice[:, 5:], support[:, 5:] = 0, 600.0
    got = scattered(image, ice, support)
    assert got.shape == (2, 8, 9)
    torch.testing.assert_close(got[..., :5], torch.full((2, 8, 5), math.exp(-0.5)).double())
    torch.testing.assert_close(got[..., 5:], torch.full((2, 8, 4), math.exp(-0.78)).double())


def test_almost_no_ice_leaves_the_image_as_it_is():
    image = torch.rand(6, 6).double()
    assert torch.equal(scattered(image, torch.full((6, 6), 5.0).double(), torch.zeros(6, 6)), image)


def test_gradient_reaches_image_and_paths(generator):
    image = torch.rand(4, 6, generator=generator, dtype=torch.float64).requires_grad_()
    ice = (400 + 300 * torch.rand(4, 6, generator=generator, dtype=torch.float64)).requires_grad_()
    torch.autograd.gradcheck(
        lambda i, p: scattered(i, p, torch.zeros(4, 6).double()), (image, ice), eps=1e-4, atol=1e-6
    )


def test_simple_attenuation_and_carbon_are_as_published():
    image = attenuate(torch.ones(3), torch.tensor([0.0, 300.0, 600.0]), torch.tensor(300.0))
    torch.testing.assert_close(image, torch.exp(-torch.arange(3.0)))
    # Imaginary potentials 1.0936593 V of carbon, 0.8244816 V of ice; temsim.md section 3.
    ratio = carbon_per_ice(scalar(200e3)).item()
    assert ratio == pytest.approx(1.0936593 / 0.8244816, rel=2e-6)
