"""Images that are no raw ones any more give themselves away by their noise."""

import pytest
import torch
from scipy import ndimage

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.micrograph.camera_noise import find_camera_noise
from difftem.modules.mtf import IdealMTF, LorentzianMTF
from tests.micrograph.simulated_cameras import SimulatedCamera

SIDE = 512


def low_pass(image, cut):
    q = radius(frequency_grid(image.shape, 1.0, half=True))
    return apply_transfer(image, (q < cut).to(image))


def fourier_crop(image, side):
    spectrum = torch.fft.fftshift(torch.fft.fft2(image))
    edge = (image.shape[0] - side) // 2
    inner = torch.fft.ifftshift(spectrum[edge : edge + side, edge : edge + side])
    return torch.fft.ifft2(inner).real * (side / image.shape[0]) ** 2


def scipy(function, *args, **kwargs):
    return lambda image: torch.from_numpy(function(image.numpy(), *args, **kwargs))


SPOILED = {
    "falls to nothing": [
        scipy(ndimage.gaussian_filter, 1.0),
        lambda image: low_pass(image, 0.3),
        scipy(ndimage.uniform_filter, 3),
        scipy(ndimage.shift, (0.5, 0.5), order=1, mode="wrap"),
    ],
    "cut off at 0.5": [lambda image: low_pass(image, 0.5)],
    "interpolat": [
        scipy(ndimage.rotate, 7, order=1, reshape=False, mode="mirror"),
        scipy(ndimage.rotate, 7, order=3, reshape=False, mode="mirror"),
        scipy(ndimage.zoom, 1.02, order=1, mode="mirror"),
        scipy(ndimage.zoom, 0.75, order=1, mode="mirror"),
        scipy(ndimage.shift, (0.0, 0.4), order=1, mode="wrap"),
    ],
    "sharpened": [lambda image: 3 * image - 2 * scipy(ndimage.uniform_filter, 3)(image)],
}


@pytest.fixture(scope="module")
def images():
    """A counter's image and one of a camera that blurs, as written after a gain reference."""
    generator = torch.Generator().manual_seed(1)
    cameras = [SimulatedCamera(mtf, 20.0, 2.7) for mtf in (IdealMTF(), LorentzianMTF())]
    flat = 1 + 1e-3 * torch.randn(SIDE, SIDE, generator=generator)
    return [camera.image(generator, SIDE)[0] * flat for camera in cameras]


@pytest.mark.parametrize("said", SPOILED)
def test_filtered_and_interpolated_images_are_refused(images, said):
    for spoil in SPOILED[said]:
        with pytest.raises(ValueError, match=said) as error:
            find_camera_noise(spoil(images[0])[None])
        assert "--force" in str(error.value)


def test_a_camera_that_blurs_is_no_excuse(images):
    for said in ("falls to nothing", "interpolat"):
        with pytest.raises(ValueError, match=said):
            find_camera_noise(SPOILED[said][0](images[1])[None])


def test_filtered_images_go_on_with_a_warning_where_that_is_wanted(images):
    blurred = SPOILED["falls to nothing"][0](images[0])[None]
    noise = find_camera_noise(blurred, allow_filtered=True)
    assert "falls to nothing" in noise.warnings[0]
    values = noise.whiten(blurred).values
    assert bool(torch.isfinite(values).all())
    # What the filter removed is not blown up again.
    assert float(values.var()) < 1.0


def test_binned_and_fourier_cropped_counts_are_white_and_welcome(images):
    binned = images[0].reshape(SIDE // 2, 2, SIDE // 2, 2).sum((1, 3))
    for image, electrons in ((binned, 80.0), (fourier_crop(images[0], 384), 20.0 * (4 / 3) ** 2)):
        noise = find_camera_noise(image[None])
        assert noise.white and not noise.warnings
        assert noise.electrons == pytest.approx(electrons, rel=0.03)


def test_a_crystal_is_not_taken_for_interpolation(generator):
    y, x = torch.meshgrid(torch.arange(512.0), torch.arange(512.0), indexing="ij")
    lattice = torch.cos(2 * torch.pi * 0.23 * x) + torch.cos(2 * torch.pi * (0.1 * x + 0.2 * y))
    image = 3.3 * torch.poisson(20 * (1 + 0.3 * lattice), generator)
    noise = find_camera_noise(image[None])
    assert noise.white and not noise.warnings
    assert noise.electrons == pytest.approx(20.0, rel=0.03)


def test_two_exposures_that_were_interpolated_are_taken_with_a_warning():
    generator = torch.Generator().manual_seed(2)
    pair = SimulatedCamera(IdealMTF(), 20.0, 1.0).image(generator, SIDE, n=2)
    turned = ndimage.rotate(pair.numpy(), 7, (1, 2), order=1, reshape=False, mode="mirror")
    noise = find_camera_noise(torch.from_numpy(turned))
    assert any("interpolation" in said for said in noise.warnings)
