"""Radiation damage in images: off unless it is asked for, growing along a tilt series."""

import pytest
import torch

import difftem
from difftem.functional.radiation_damage import faded, fading
from difftem.simulation.config import ExposureConfig


def test_a_series_fades_image_by_image_as_its_pre_exposure_grows(microscope, blob):
    tilts = [0.0, 0.0, 0.0]
    still = ExposureConfig(dose_e_per_a2=10.0, tilts_deg=tilts)
    harmed = ExposureConfig(dose_e_per_a2=10.0, tilts_deg=tilts, radiation_damage=True)
    fresh, damaged = (microscope(blob(), exposure=each).take(0) for each in (still, harmed))
    assert torch.equal(fresh.noise_free[0], fresh.noise_free[2])
    power = []
    for image, before in zip(damaged.noise_free, (0.0, 10.0, 20.0), strict=True):
        assert float(image.mean()) == pytest.approx(float(fresh.noise_free[0].mean()), rel=1e-3)
        power.append(float(image.std() / fresh.noise_free[0].std()))
        # What is left of the finest detail is less than what is left of the whole.
        least = fading(torch.tensor(0.05), *(torch.tensor(v) for v in (before, 10.0, 300e3)))
        assert power[-1] < 1.0
        assert power[-1] > 0.5 * float(least)
    assert power[0] > power[1] > power[2]


def test_simulated_atoms_fade_as_the_filter_says():
    generator = torch.Generator().manual_seed(1)
    n = 40
    atoms = difftem.Atoms(
        20 * (torch.rand(n, 3, generator=generator, dtype=torch.float64) - 0.5),
        torch.full((n,), 6),
        torch.full((n,), 20.0, dtype=torch.float64),
        torch.ones(n, dtype=torch.float64),
    )
    settings = {"size": (160, 160), "pixel_size": 1.5, "preset": "ideal", "defocus_um": 0.3,
                "dose_e_per_a2": 8.0, "tilts_deg": [0.0, 0.0]}  # fmt: skip
    fresh = difftem.simulate(atoms, **settings).noise_free.double()
    harmed = difftem.simulate(atoms, radiation_damage=True, **settings).noise_free.double()
    energy, dose = (torch.tensor(each, dtype=torch.float64) for each in (300e3, 8.0))
    for number in range(2):
        expected = faded(fresh[number], 1.5, number * dose, dose, energy)
        # The filter reaches over the border, beyond which the field is larger.
        inner = (slice(50, -50), slice(50, -50))
        error = (harmed[number] - expected)[inner].std()
        change = (fresh[number] - expected)[inner].std()
        assert float(error) < 0.02 * float(change)
    assert float(harmed[1].mean()) == pytest.approx(float(fresh[1].mean()), rel=1e-3)
