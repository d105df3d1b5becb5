"""Signal of a micrograph up to Nyquist, and where a fast simulation ends."""

import dataclasses

import pytest
import torch

import difftem
from difftem.functional.resample import fourier_crop
from difftem.simulation.config import MicroscopeConfig, SamplingConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.sampling import choose_field, wave_pixel_size
from difftem.simulation.scene_config import SceneSamplingConfig
from tests.helpers.specimen import random_atoms

FIELD = 108  # Å


def ring_power(image):
    """Mean power of every ring of one frequency step, up to Nyquist of the smaller grid."""
    n = image.shape[-1]
    power = torch.fft.fft2(image - image.mean(), norm="forward").abs() ** 2
    order = torch.fft.fftfreq(n, 1 / n, dtype=torch.float64)
    ring = torch.hypot(order[:, None], order).round().long().flatten()
    total = torch.zeros(int(ring.max()) + 1, dtype=torch.float64)
    number = total.index_add(0, ring, torch.ones_like(power).flatten())
    return total.index_add(0, ring, power.flatten()) / number


def generated(microscope, blob, places, pixel_size, band):
    """Noise-free image of a scene in e/Å², without noise of any kind."""
    size = round(FIELD / pixel_size)
    made = microscope(
        blob(coordinates=str(places)),
        ice=IceConfig(thickness_nm=20.0),
        sampling=SceneSamplingConfig(
            size=(size, size), pixel_size=pixel_size, padding=0, band=band, interpolation="fine"
        ),
        microscope=MicroscopeConfig(defocus_um=0.4),
    )
    return made.take(0).noise_free[0].double() / pixel_size**2


def simulated(pixel_size, band):
    """The same of atoms."""
    size = round(FIELD / pixel_size)
    atoms = random_atoms(60, (30.0, 30.0, 20.0), (6, 7, 8), (15.0, 20.0))
    result = difftem.simulate(
        atoms,
        size=(size, size),
        pixel_size=pixel_size,
        padding=0,
        band=band,
        defocus_um=0.4,
        preset="ideal",
        slice_thickness_nm=0.6,
    )
    return result.noise_free[0].double() / pixel_size**2


@pytest.fixture
def images(request, microscope, blob, tmp_path):
    """Make images of one specimen with either command."""
    places = tmp_path / "places.csv"
    places.write_text("x,y,z,phi,theta,psi\n-20,8,0,10,20,30\n15,-20,20,90,40,0\n")
    if request.param == "simulate":
        return simulated
    return lambda *given: generated(microscope, blob, places, *given)


@pytest.mark.parametrize("images", ["generate", "simulate"], indirect=True)
def test_signal_reaches_nyquist_as_with_half_the_pixel(images):
    coarse, fine = images(1.5, "full"), images(0.75, "full")
    nyquist = coarse.shape[-1] // 2
    powers = [ring_power(each)[1:nyquist] for each in (coarse, fine)]
    assert float((powers[0] / powers[1] - 1).abs().max()) < 0.05
    # Not only as strong: the same image, ring by ring. (Pixels also hold the corners beyond.)
    difference = ring_power(coarse - fourier_crop(fine, tuple(coarse.shape)))[1:nyquist]
    assert float((difference / powers[1]).max()) < 0.05**2
    assert float(coarse.mean()) == pytest.approx(float(fine.mean()), rel=1e-5)


@pytest.mark.parametrize("images", ["generate", "simulate"], indirect=True)
def test_a_fast_simulation_ends_at_a_third_of_a_cycle_per_pixel(images):
    fast, full = ring_power(images(1.5, "fast")), ring_power(images(1.5, "full"))
    third = int(FIELD / 1.5 / 3)
    ratio = fast / full
    assert float((ratio[1 : int(0.8 * third)] - 1).abs().max()) < 0.05
    assert float(ratio[third + 1 : int(1.5 * third)].max()) < 0.01


def test_waves_are_finer_where_the_optics_reach_beyond_what_the_pixels_carry():
    sampling, open_lens = SamplingConfig(pixel_size=2.0), MicroscopeConfig(cc_mm=0.0)
    assert wave_pixel_size(sampling, open_lens) == pytest.approx(1.2)
    assert wave_pixel_size(dataclasses.replace(sampling, band="fast"), open_lens) == 2.0
    # Intensities behind an aperture of a quarter of a cycle per pixel end at Nyquist.
    quarter = 1e3 * 0.0196875 / (4 * 2.0)
    for factor, expected in ((0.99, 2.0), (1.01, 1.2)):
        lens = MicroscopeConfig(cc_mm=0.0, aperture_mrad=factor * quarter)
        assert wave_pixel_size(sampling, lens) == pytest.approx(expected)


@pytest.mark.parametrize("size", [(64, 48), (511, 300), (4096, 4096)])
def test_both_grids_of_a_field_cover_the_same(size):
    field = choose_field(SamplingConfig(size=size, pixel_size=1.5, padding=8), MicroscopeConfig())
    for n, fine, wanted in zip(field.shape, field.wave_shape, reversed(size), strict=True):
        assert wanted + 16 <= n < 1.2 * wanted + 40
        assert n * 1.5 == pytest.approx(fine * field.wave_pixel_size)
        assert n % 2 == fine % 2 == 0
