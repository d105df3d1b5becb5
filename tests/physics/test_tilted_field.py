"""A tilted field has another defocus at each distance from the tilt axis."""

import math

import pytest
import torch

from difftem.functional.projection import FINE
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    Instances,
    Lens,
    Multislice,
    Particle,
    ParticleSpecimen,
    Simulator,
    Stage,
)

PIXEL, N, THICKNESS, DEFOCUS_UM = 4.0, 256, 100.0, 1.0
TILT_DEG = 50.0


def ball(sigma=14.0, n=32):
    """Make a round particle, the same from everywhere, weak enough for the first order."""
    axis = (torch.arange(n, dtype=torch.float64) - n // 2) * PIXEL
    one = torch.exp(-(axis**2) / 2 / sigma**2)
    return 0.02 * one[:, None, None] * one[:, None] * one


def image(positions, tilt_deg, defocus_um):
    particle = Particle(ball(), PIXEL, interpolation=FINE)
    specimen = ParticleSpecimen(
        {"ball": particle}, [Instances("ball", positions)], (N, N), PIXEL, THICKNESS
    )
    simulator = Simulator(
        specimen,
        Multislice(PIXEL, THICKNESS),
        Lens(PIXEL, defocus_um=defocus_um),
        Dose(1.0, PIXEL),
        Detector(),
        beam=Beam(300.0),
        stage=Stage(tilt_deg),
    ).double()
    with torch.no_grad():
        return simulator.intensity()


@pytest.mark.parametrize("x", [-300.0, 300.0])
def test_defocus_changes_across_a_tilted_field(x):
    tilt = math.radians(TILT_DEG)
    tilted = image(torch.tensor([[x, 0.0, 0.0]], dtype=torch.float64), TILT_DEG, DEFOCUS_UM)
    seen = torch.tensor([[x * math.cos(tilt), 0.0, 0.0]], dtype=torch.float64)
    # About the y axis, what is at +x turns to -z: its defocus is that of z = 0 plus z.
    height = -x * math.sin(tilt)
    flat = image(seen, 0.0, DEFOCUS_UM + height * 1e-4)
    wrong = image(seen, 0.0, DEFOCUS_UM - height * 1e-4)
    contrast = (flat - flat.mean()).std()
    assert float((tilted - flat).std() / contrast) < 1e-3
    assert float((tilted - wrong).std() / contrast) > 0.04
