"""abTEM, an independent multislice code, on the same slices of potential."""

import math
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.modules import Beam, Lens, Multislice, Potential
from experiments.conformance.check import Check

KILOVOLTS, PIXEL, SIZE, N_SLICES, THICKNESS = 200.0, 0.25, 64, 8, 2.0
TILT_MRAD = (6.0, -4.0)
# In Å and rad: name, amplitude, angle of abTEM; multiplicity.
ABERRATIONS = (("C12", 60.0, 0.4, 2), ("C21", 900.0, -0.7, 1), ("C23", 700.0, 0.3, 3))
DEFOCUS, CS = 300.0, 1.2e7  # Å


def is_installed() -> bool:
    """Whether abTEM can be imported."""
    return find_spec("abtem") is not None


def checks() -> Iterator[Check]:
    """Run all checks; none where abTEM is not installed."""
    if not is_installed():
        return
    slices = _slices()
    straight = _multislice(slices, Beam(KILOVOLTS))
    cases = {
        "exit wave: difference": (straight, _abtem_wave(slices)),
        "exit wave under a tilted beam: difference": (
            _multislice(slices, Beam(KILOVOLTS, TILT_MRAD)),
            _abtem_wave(slices, tilt=TILT_MRAD),
        ),
        "image wave with C10, C12, C21, C23, C30: difference": (
            _lens()(straight, Beam(KILOVOLTS).double(), 0.0),
            _abtem_image_wave(straight),
        ),
    }
    for what, (ours, theirs) in cases.items():
        difference = (ours - theirs).abs().square().mean().sqrt()
        number = float(difference / (theirs - 1).abs().square().mean().sqrt())
        yield Check(
            "abTEM", what, "abTEM, relative rms of what the specimen adds", number, 0.0, 2e-5
        )


def _slices() -> Tensor:
    """Potential of light and heavy atoms."""
    generator = torch.Generator().manual_seed(0)
    box = torch.tensor([SIZE * PIXEL, SIZE * PIXEL, N_SLICES * THICKNESS], dtype=torch.float64)
    positions = (torch.rand(30, 3, generator=generator, dtype=torch.float64) - 0.5) * box
    elements = torch.tensor([1, 6, 7, 8, 16, 26, 79])
    numbers = elements[torch.randint(len(elements), (30,), generator=generator)]
    ones = torch.ones(30, dtype=torch.float64)
    atoms = Atoms(positions, numbers, 2.0 * ones, ones)
    with torch.no_grad():
        slices: Tensor = Potential(
            atoms, (SIZE, SIZE), PIXEL, N_SLICES, THICKNESS, band_limit=0.95
        ).double()()
    return slices


def _multislice(slices: Tensor, beam: Beam) -> Tensor:
    """Our exit wave."""
    with torch.no_grad():
        wave: Tensor = Multislice(PIXEL, THICKNESS, limit_transmission=True)(slices, beam.double())
    return wave


def _lens() -> Lens:
    """Our lens with the aberrations, without envelopes."""
    aberrations = {}
    for name, amplitude, angle, m in ABERRATIONS:
        aberrations[f"{name}a"] = amplitude * math.cos(m * angle)
        aberrations[f"{name}b"] = amplitude * math.sin(m * angle)
    return Lens(
        PIXEL,
        1e-4 * DEFOCUS,
        1e-7 * CS,
        aberrations=aberrations,
        energy_spread_ev=0.0,
        source_semiangle_mrad=0.0,
    ).double()


def _abtem_config() -> Any:
    import abtem

    return abtem.config.set(
        {
            "precision": "float64",
            "antialias.cutoff": 2 / 3,
            "antialias.taper": 0.01,
            "diagnostics.progress_bar": False,
        }
    )


def _abtem_wave(slices: Tensor, **beam: Any) -> Tensor:
    """Exit wave of abTEM as (y, x)."""
    import abtem

    with _abtem_config():
        potential = abtem.PotentialArray(
            slices.mT.numpy(), slice_thickness=THICKNESS, sampling=PIXEL
        )
        waves = abtem.PlaneWave(energy=1e3 * KILOVOLTS, **beam).multislice(potential).compute()
    return torch.as_tensor(np.asarray(waves.array)).mT


def _abtem_image_wave(exit_wave: Tensor) -> Tensor:
    """Wave behind abTEM's lens as (y, x)."""
    import abtem

    coefficients = {"C30": CS}
    for name, amplitude, angle, _ in ABERRATIONS:
        coefficients |= {name: amplitude, f"phi{name[1:]}": angle}
    with _abtem_config():
        waves = abtem.Waves(exit_wave.mT.numpy(), energy=1e3 * KILOVOLTS, sampling=PIXEL)
        image = waves.apply_ctf(defocus=DEFOCUS, **coefficients).compute()
    return torch.as_tensor(np.asarray(image.array)).mT
