"""Correctness first: nothing is timed that does not compute the same thing."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from difftem.functional.render import gaussian_projection
from experiments.simulator_speed.abtem_stages import AbtemStages
from experiments.simulator_speed.cases import Case
from experiments.simulator_speed.difftem_stages import DifftemStages
from experiments.simulator_speed.inputs import Inputs

MAX_TOTAL_ERROR = 0.01  # of the summed potential, relative to abTEM's
MAX_INTENSITY_ERROR = 0.01  # of the exit wave's mean intensity, in incident intensities
MAX_IMAGE_ERROR = 0.01  # rms of the contrast from the same exit wave, relative to abTEM's
MAX_REFERENCE_ERROR = 1e-3  # rms against the plain sum of Gaussians
REFERENCE_ATOMS = 64
# The reference has no band limit: so much is left of every Gaussian at ours.
REFERENCE_TAIL = 1e-5


class GateError(RuntimeError):
    """A correctness check failed: there is no speed to publish."""


def prepare(case: Case, stages: type[DifftemStages] = DifftemStages) -> Inputs:
    """Build the atoms and run our stages once, for what the later ones start from.

    Parameters
    ----------
    case : Case
        What to simulate.
    stages : type
        Our implementation.

    Returns
    -------
    Inputs
        Complete.
    """
    atoms = case.atoms()
    values = (atoms.positions, atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)
    inputs = Inputs(*(value.numpy() for value in values), focal_spread=0.0)
    inputs.focal_spread = stages(case, inputs).focal_spread()
    inputs.slices = stages(case, inputs).potential().numpy()
    inputs.wave = stages(case, inputs).multislice().numpy()
    return inputs


def check(ours: DifftemStages, theirs: AbtemStages | None) -> dict[str, float]:
    """Compare our stages with the slow reference and with abTEM.

    Parameters
    ----------
    ours : DifftemStages
        With complete inputs.
    theirs : AbtemStages, optional
        On the same inputs.

    Returns
    -------
    dict
        What was compared, all within bounds.

    Raises
    ------
    GateError
        Listing what is out of bounds.
    """
    intensity = _mean_intensity(ours.multislice().numpy())
    figures = {"reference_rms": reference_error(ours), "exit_intensity": intensity}
    # A band-limited wave behind a phase object: it can lose a little and gain nothing.
    bounds = {"reference_rms": MAX_REFERENCE_ERROR}
    if not 0.9 < intensity < 1.001:
        raise GateError(f"our exit wave has a mean intensity of {intensity:.4f}")
    if theirs is not None:
        figures |= _against_peer(ours, theirs)
        bounds["potential_total_error"] = MAX_TOTAL_ERROR
        bounds["exit_intensity_error"] = MAX_INTENSITY_ERROR
        bounds["image_rms"] = MAX_IMAGE_ERROR
    # NaN is out of bounds too.
    broken = [
        f"{name} = {figures[name]:.3g} (at most {bound})"
        for name, bound in bounds.items()
        if not abs(figures[name]) <= bound
    ]
    if broken:
        raise GateError(f"refusing to time {ours.case.title!r}: {', '.join(broken)}")
    return figures


def reference_error(ours: DifftemStages) -> float:
    """Relative rms error of our projection of a few atoms against the plain sum of Gaussians.

    They are made broad enough to fit below our band limit.
    """
    case, inputs = replace(ours.case, table="peng"), ours.inputs
    central = np.argsort(np.hypot(*inputs.positions[:, :2].T), kind="stable")[:REFERENCE_ATOMS]
    highest = 1 / 3 / case.pixel_size
    broad = -4 * np.log(REFERENCE_TAIL) / highest**2
    subset = Inputs(
        inputs.positions[central],
        inputs.atomic_numbers[central],
        np.maximum(inputs.b_factors[central], np.float32(broad)),
        inputs.occupancies[central],
        inputs.focal_spread,
    )
    stages = type(ours)(case, subset)
    atoms = stages.atoms
    x = (torch.arange(case.n_pixels) - case.n_pixels // 2) * case.pixel_size
    expected = gaussian_projection(
        atoms.positions, atoms.atomic_numbers, atoms.b_factors, atoms.occupancies, x, x
    ).numpy()
    return _relative_rms(stages.potential().sum(0).numpy(), expected)


def _against_peer(ours: DifftemStages, theirs: AbtemStages) -> dict[str, float]:
    """Differences from abTEM: potential of the same atoms, then each stage on the same input."""
    # abTEM's atoms are at rest: compare ours at rest.
    rest = replace(ours.inputs, b_factors=np.zeros_like(ours.inputs.b_factors))
    ours_rest = type(ours)(ours.case, rest)
    total = np.sum(ours_rest.potential().numpy(), dtype=np.float64)
    total_peer = np.sum(theirs.potential(), dtype=np.float64)
    wave, wave_peer = ours.multislice().numpy(), theirs.multislice()
    return {
        "potential_total_error": float(total / total_peer) - 1,
        "exit_intensity_error": _mean_intensity(wave) - _mean_intensity(wave_peer),
        "exit_wave_rms": _relative_rms(wave - 1, wave_peer - 1),
        "image_rms": _relative_rms(ours.lens().numpy() - 1, theirs.lens() - 1),
    }


def _mean_intensity(wave: Any) -> float:
    return float(np.mean(np.abs(wave) ** 2, dtype=np.float64))


def _relative_rms(ours: Any, expected: Any) -> float:
    return float(np.linalg.norm(ours - expected) / np.linalg.norm(expected))
