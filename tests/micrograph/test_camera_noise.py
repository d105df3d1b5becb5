"""The camera's own noise: level, colour, electrons, from images of which all is known."""

import mrcfile
import numpy as np
import pytest
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.io.star import read_mtf_star
from difftem.micrograph.bad_pixels import find_bad_pixels, replace_bad_pixels
from difftem.micrograph.camera_noise import find_camera_noise
from difftem.micrograph.told_noise import noise_transfer
from difftem.modules.mtf import IdealMTF, LorentzianMTF
from tests.micrograph.simulated_cameras import SimulatedCamera, draw_camera

K2 = "micrographs/krios_k2_300kV_crop2048.mrc"
FALCON = "micrographs/krios_falcon3EC_300kV_crop2048.mrc"
COUNTER = SimulatedCamera(IdealMTF(), 12.0, 57.3)
BLURRED = SimulatedCamera(LorentzianMTF(), 20.0, 3.0)


@pytest.fixture(scope="module")
def twenty():
    """Twenty cameras, half of them white, with what is found in one 512 x 512 image of each."""
    generator = torch.Generator().manual_seed(5)
    found = []
    for i in range(20):
        camera = draw_camera(generator, white=i % 2 == 0)
        # What a counter's file looks like whose gain reference was applied.
        image = camera.image(generator) * (1 + 1e-4 * torch.rand(512, 512, generator=generator))
        found.append((camera, find_camera_noise(image)))
    return found


@pytest.fixture(scope="module")
def counter():
    return COUNTER.image(torch.Generator().manual_seed(0))


def micrograph(path):
    with mrcfile.open(path, permissive=True) as file:
        image = torch.from_numpy(file.data.astype(np.float32))
    return replace_bad_pixels(image, find_bad_pixels(image))[None]


def test_white_and_coloured_cameras_are_told_apart(twenty):
    assert [noise.white for _, noise in twenty] == [i % 2 == 0 for i in range(20)]


def test_the_level_of_white_noise_is_found_within_two_percent(twenty):
    white = [(camera, noise) for camera, noise in twenty if noise.white]
    for camera, noise in white:
        assert noise.gain == pytest.approx(camera.gain, rel=0.02)
        assert noise.electrons == pytest.approx(camera.electrons, rel=0.02)


def test_the_level_of_coloured_noise_is_found_within_two_percent_where_it_is_measured(twenty):
    for camera, noise in twenty:
        measured = (noise.frequency > 0.1) & (noise.frequency < 0.5)
        ratio = noise.amplitude.square() / camera.power(noise.frequency)
        assert float(ratio[measured].mean()) == pytest.approx(1.0, abs=0.02)
        assert float((ratio[measured] - 1).square().mean().sqrt()) < 0.03


def test_the_error_of_the_gain_covers(twenty):
    z = [(noise.gain - camera.gain) / noise.gain_error for camera, noise in twenty]
    for kind in (z[::2], z[1::2]):
        assert max(map(abs, kind)) < 3.0
        assert 0.3 < np.sqrt(np.mean(np.square(kind))) < 1.5


def test_whole_counts_are_recognised_down_to_half_an_electron(counter, generator):
    vacuum = torch.poisson(torch.full((1, 256, 256), 0.45), generator)
    noise = find_camera_noise(vacuum)
    assert (noise.gain, noise.gain_error, noise.white) == (1.0, 0.0, True)
    assert noise.electrons == float(vacuum.double().mean())
    assert noise.source == "counts"
    assert find_camera_noise(counter).gain == pytest.approx(57.3, rel=1e-6)


def test_whitened_images_of_a_camera_that_blurs_are_its_counts(generator):
    image = BLURRED.image(generator, side=768, specimen=0.0)
    noise = find_camera_noise(image)
    whitened = noise.whiten(image, 1.5)
    assert float(whitened.values.var()) == pytest.approx(1.0, abs=0.02)
    assert whitened.pixel_size == 1.5
    assert whitened.electrons == noise.electrons
    assert float((whitened.grey_values(whitened.values) - image).abs().max()) < 1e-5 * noise.mean


def test_differences_of_exposures_do_without_the_specimen(generator):
    camera = SimulatedCamera(LorentzianMTF(), 8.0, 40.0)
    noise = find_camera_noise(camera.image(generator, n=2, specimen=0.4))
    assert noise.gain == pytest.approx(40.0, abs=2 * noise.gain_error)
    assert noise.gain_error < 0.15 * noise.gain
    assert any("differences" in note for note in noise.notes)


def test_a_gain_or_dose_wrong_by_two_is_said_with_both_numbers(counter):
    (said,) = find_camera_noise(counter, gain=114.6).warnings
    assert "114.6" in said and "57.3" in said
    (said,) = find_camera_noise(counter, dose_e_per_pixel=24.0).warnings
    assert "24 e/pixel" in said and f"{find_camera_noise(counter).electrons:.3g}" in said
    assert not find_camera_noise(counter, gain=57.0, dose_e_per_pixel=13.0).warnings


def test_an_offset_is_said_and_electrons_come_from_elsewhere(generator):
    image = BLURRED.image(generator, specimen=0.0) - 32768
    noise = find_camera_noise(image)
    assert "offset" in noise.warnings[0]
    assert noise.electrons == pytest.approx(20.0, rel=0.2)  # by skewness
    assert noise.offset == pytest.approx(-32768, abs=10)
    assert find_camera_noise(image, dose_e_per_pixel=20.0).electrons == 20.0
    by_gain = find_camera_noise(image, gain=3.0)
    assert by_gain.gain == pytest.approx(3.0)
    assert by_gain.electrons == pytest.approx(20.0, rel=0.15)
    (said,) = find_camera_noise(image + 132768).warnings
    assert "skewness" in said


def test_a_told_curve_fixes_the_level_and_one_that_is_not_the_camera_s_is_left(generator):
    camera = SimulatedCamera(LorentzianMTF(), 20.0, 3.0)
    image = camera.image(generator)
    frequency = torch.linspace(0, 0.5, 51, dtype=torch.float64)
    with torch.no_grad():
        value = camera.mtf(frequency)
    told = noise_transfer("k3_300kv")
    right = type(told)(frequency, value, "curve right.star")
    noise = find_camera_noise(image, ntf=right)
    assert noise.gain == pytest.approx(3.0, rel=0.02)
    assert noise.source == "curve right.star"
    wrong = find_camera_noise(image, ntf=told)
    assert "is not this camera's noise" in wrong.warnings[0]
    assert wrong.source == "from the micrograph"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (torch.full((1, 128, 128), 3.0), "constant"),
        (torch.full((1, 128, 128), torch.nan), "no pixel that is a number"),
        (torch.randn(1, 40, 128), "at least 64 pixels"),
        (torch.randn(1, 128, 128).expand(2, 128, 128), "the same image"),
        ((128 + 20 * torch.randn(1, 256, 256)).round().clamp(0, 255), "8-bit"),
        ((1000 + 20 * torch.randn(1, 256, 256)).clamp(max=1030), "clipped"),
        ((1000 + 20 * torch.randn(1, 256, 256)).clamp(min=960), "clipped"),
    ],
)
def test_what_is_no_raw_image_is_refused(image, said):
    with pytest.raises(ValueError, match=said) as error:
        find_camera_noise(image)
    assert "\n" not in str(error.value)


def test_counts_over_structured_ice_are_counts(generator):
    q = radius(frequency_grid((512, 512), 1.0, half=True))
    ring = torch.exp(-(((q - 0.25) / 0.05) ** 2))  # of ice, at .9 Å/pixel
    field = apply_transfer(torch.randn(512, 512, generator=generator, dtype=torch.float64), ring)
    image = torch.poisson(24 + 3 * field, generator=generator)[None].float()
    noise = find_camera_noise(image)
    assert noise.source == "counts"
    assert noise.white and noise.gain == 1
    assert noise.level == pytest.approx(24, rel=0.03)


def test_a_real_k2_is_white_with_some_hundred_grey_values_per_electron(shared_data):
    image = micrograph(shared_data / K2)
    noise = find_camera_noise(image, pixel_size=0.854)
    assert noise.white
    assert 101.0 < noise.gain < 104.0
    assert noise.electrons == pytest.approx(34.7, rel=0.03)
    mtf = noise_transfer(shared_data / "detectors" / "mtf_k2_300kV.star")
    told = find_camera_noise(image, pixel_size=0.854, ntf=mtf)
    assert told.white
    assert "not the curve of the noise" in told.warnings[0]


def test_a_real_falcon_has_the_published_colour(shared_data):
    image = micrograph(shared_data / FALCON)
    noise = find_camera_noise(image, pixel_size=0.667)
    frequency, value = read_mtf_star(shared_data / "detectors" / "mtf_falcon3EC_300kV.star")
    q = noise.frequency[(noise.frequency > 0.06) & (noise.frequency < 0.47)].numpy()
    published = np.interp(q, frequency, value)
    ratio = np.interp(q, noise.frequency.numpy(), noise.amplitude.numpy()) / published
    assert not noise.white
    assert np.abs(ratio / ratio.mean() - 1).max() < 0.04
    assert 307 < noise.gain + 2 * noise.gain_error and noise.gain - 2 * noise.gain_error < 378
    told = noise_transfer("falcon3ec_300kv")
    assert find_camera_noise(image, pixel_size=0.667, ntf=told).source == "detector falcon3ec_300kv"
