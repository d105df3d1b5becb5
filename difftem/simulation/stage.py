"""How the stage stands in each image of a series: as it was set, and how far it is off."""

import math

import torch

from difftem.modules.stage import Stage
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.simulate_config import SimulateConfig

SPREADS = 3.0  # standard deviations of a random error that the scene reaches for


def draw_stage(config: SimulateConfig | SceneConfig, generator: torch.Generator) -> Stage:
    """Stage of one item, its random errors drawn.

    Parameters
    ----------
    config : SimulateConfig or SceneConfig
        Its exposure and stage are used.
    generator : torch.Generator
        Of the stage alone: its errors leave the particles where they are.

    Returns
    -------
    Stage
        One tilt after the other.
    """
    exposure, errors = config.exposure, config.stage
    tilts = torch.tensor(exposure.tilts_deg, dtype=torch.float64)
    n = len(tilts)
    noise = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    shifts = errors.shift_error * noise[:, :2]
    if errors.shifts is not None:
        shifts = shifts + torch.tensor(errors.shifts, dtype=torch.float64)
    rotations = errors.rotation_error_deg * noise[:, 2]
    if errors.rotations_deg is not None:
        rotations = rotations + torch.tensor(errors.rotations_deg, dtype=torch.float64)
    return Stage(
        tilts + errors.tilt_error_deg * noise[:, 3],
        exposure.tilt_axis_deg,
        shifts,
        rotations,
    )


def stage_reach(config: SceneConfig, width: float, height: float) -> float:  # Å
    """How far beyond a field the stage's errors make images look, to each side.

    In Å: the largest shift, and what a rotation of a field of this width and height brings in.
    """
    errors = config.stage
    shift = max((abs(each) for pair in errors.shifts or () for each in pair), default=0.0)
    turn = max(map(abs, errors.rotations_deg or ()), default=0.0)
    shift += SPREADS * errors.shift_error
    turn = min(90.0, turn + SPREADS * errors.rotation_error_deg)
    return shift + math.sin(math.radians(turn)) * max(width, height) / 2
