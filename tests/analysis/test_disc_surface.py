import pytest
import torch

from difftem.analysis.disc_surface import DiscSurface

CENTERS = torch.tensor([[20, 30], [45, 30]])  # x, y


def disc_pixels(surface):
    noise = torch.randn(64, 64)
    return surface.without(noise, CENTERS) != noise


def test_a_tilted_plane_goes_on_through_the_disc_whatever_stood_there():
    y, x = torch.meshgrid(*(torch.arange(64, dtype=torch.float64),) * 2, indexing="ij")
    plane = 0.4 + 0.002 * x - 0.001 * y
    surface = DiscSurface(8.0)
    image = plane.clone()
    image[disc_pixels(surface)] += 1.0
    assert torch.allclose(surface.without(image, CENTERS), plane, atol=1e-12)
    assert (image - plane).sum() == pytest.approx(2 * len(surface.inside))
    inside, through = surface.values(image, CENTERS)
    assert torch.allclose(inside - through, torch.ones_like(inside))


def test_noise_of_the_rim_is_averaged(generator):
    image = torch.randn(64, 64, generator=generator, dtype=torch.float64)
    surface = DiscSurface(8.0)
    _, through = surface.values(image, CENTERS)
    assert torch.allclose(surface.weights.sum(1), torch.ones(1, dtype=torch.float64))
    # The variance of a plane's middle is one over the number of rim pixels.
    middle = (surface.inside == 0).all(1)
    assert float(surface.weights[middle].square().sum()) == pytest.approx(1 / len(surface.rim))
    assert float(through.std()) < 0.5


def test_the_rest_of_the_image_and_the_image_itself_stay():
    image = torch.rand(64, 64)
    before, surface = image.clone(), DiscSurface(6.0)
    changed = surface.without(image, CENTERS) != image
    assert torch.equal(image, before)
    y, x = changed.nonzero().T
    apart = torch.cdist(torch.stack([x, y], 1).double(), CENTERS.double()).amin(1)
    assert float(apart.max()) <= 6
    assert len(apart) == 2 * len(surface.inside) == 2 * 113  # pixels in a circle of radius 6


def test_a_disc_has_two_pixels_at_least():
    with pytest.raises(ValueError, match="radius must be at least 2 pixels, got 1"):
        DiscSurface(1.0)
