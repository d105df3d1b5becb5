"""Images of structured ice through all stages, against the theory of weak objects."""

import math

import pytest
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.lens import aberration_phase
from difftem.functional.structured_ice import ice_power
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    FlatIce,
    Lens,
    Multislice,
    ParticleSpecimen,
    Simulator,
    StructuredIce,
)

PIXEL, SHAPE, THICKNESS, SEEDS = 0.9, (256, 256), 60.0, 5
DEFOCUS_UM, CS_MM, CONTRAST = 0.25, 2.7, 0.07


def simulator(slice_thickness):
    vacuum = ParticleSpecimen({}, [], SHAPE, PIXEL, slice_thickness)
    ice = FlatIce(THICKNESS / 10)
    return Simulator(
        StructuredIce(vacuum, ice),
        Multislice(PIXEL, slice_thickness, amplitude_contrast=CONTRAST),
        Lens(PIXEL, defocus_um=DEFOCUS_UM, cs_mm=CS_MM),
        Dose(1.0, PIXEL),
        Detector(),
        ice=ice,
    )


def theory(q):
    """Mean over the depth of the ice, each height with its own defocus."""
    qy, qx = frequency_grid(SHAPE, PIXEL)
    heights = (torch.arange(6) + 0.5) * THICKNESS / 6 - THICKNESS / 2
    transfer = torch.zeros_like(q)
    for z in heights.tolist():
        lens = {"C10": torch.tensor(-DEFOCUS_UM * 1e4 - z), "C30": torch.tensor(CS_MM * 1e7)}
        lens = {name: value.double() for name, value in lens.items()}
        chi = aberration_phase(qy, qx, Beam().wavelength, lens)
        transfer += (math.sqrt(1 - CONTRAST**2) * torch.sin(chi) - CONTRAST * torch.cos(chi)) ** 2
    return 4 * Beam().sigma ** 2 * ice_power(q, THICKNESS) * transfer / len(heights)


@pytest.mark.parametrize("slice_thickness", [6.0, 100.0])
@torch.no_grad()
def test_every_ring_of_an_image_of_ice_has_the_power_of_theory(slice_thickness):
    # Slices as thin as two molecules, and one that holds all.
    microscope = simulator(slice_thickness)
    q = radius(frequency_grid(SHAPE, PIXEL))
    ring = (q * SHAPE[0] * PIXEL / 8).long()
    last = int(0.62 * SHAPE[0] / 2 / 8)
    number = torch.bincount(ring.flatten())
    found = torch.zeros_like(q)
    for seed in range(SEEDS):
        microscope.specimen.seed = seed
        intensity = microscope.intensity().double()
        contrast = intensity / intensity.mean() - 1
        found += torch.fft.fft2(contrast).abs() ** 2 * PIXEL**2 / contrast.numel() / SEEDS
    means = [
        torch.bincount(ring.flatten(), weights=each.flatten())[1:last] / number[1:last]
        for each in (found, theory(q))
    ]
    assert len(means[0]) == 8
    torch.testing.assert_close(means[0], means[1], rtol=0.05, atol=0)
    # The ring at 3.7 Å stands out, and absorption darkens as flat ice does.
    assert float(intensity.mean()) == pytest.approx(math.exp(-THICKNESS / 3000), rel=0.01)
