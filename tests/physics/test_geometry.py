"""Where things are: focus planes, tilts, and the images of what is out of focus."""

import math

import pytest
import torch

from difftem.functional.grid import frequency_grid
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    Lens,
    Multislice,
    Pose,
    Potential,
    Simulator,
    Stage,
)
from tests.helpers.beam import beam_of
from tests.helpers.specimen import make_atoms, pixel_axes, quantities, random_atoms, relative_rms

PIXEL = 0.4


def microscope(atoms, n_slices, thickness, *, shape=(64, 64), beam=None, defocus=0.0, **given):
    lens = {"defocus_um": defocus, "cs_mm": 0.0, "cc_mm": 0.0, "energy_spread_ev": 0.0}
    z = {name: given.pop(name) for name in ("interpolate_z",) if name in given}
    return Simulator(
        Potential(atoms, shape, PIXEL, n_slices, thickness, **z),
        Multislice(PIXEL, thickness),
        Lens(PIXEL, **quantities(**lens)),
        Dose(1.0, PIXEL),
        Detector(),
        beam=beam,
        **given,
    ).double()


def intensity(simulator):
    with torch.no_grad():
        return simulator.intensity()


@pytest.mark.parametrize(("n_slices", "thickness"), [(1, 40.0), (2, 20.0), (5, 8.0), (8, 5.0)])
def test_object_in_the_middle_of_the_slab_is_in_focus_at_defocus_zero(n_slices, thickness):
    atom = make_atoms([[0.0, 0.0, 0.0]], [6], 20.0)
    image = intensity(microscope(atom, n_slices, thickness, interpolate_z=True))
    # A phase object in focus has no contrast; 40 Å away the same atom is darker by 1.7 %.
    out = intensity(microscope(atom, n_slices, thickness, defocus=0.004, interpolate_z=True))
    assert out[32, 32] < 1 - 0.015
    assert (image - 1).abs().max() < 2e-4


@pytest.mark.parametrize(("reference", "z"), [(-20.0, -19.0), (0.0, 1.0), (20.0, 19.0)])
def test_plane_of_zero_defocus_is_where_it_is_said_to_be(reference, z):
    atom = make_atoms([[0.0, 0.0, z]], [6], 20.0)
    image = intensity(microscope(atom, 20, 2.0, defocus_reference=reference))
    # Within one Å of the plane.
    assert (image - 1).abs().max() < 1e-3
    if reference == 0:
        return
    # 38 Å from the plane: an atom nearer to the source than it is bright, one behind it dark.
    far = intensity(microscope(atom, 20, 2.0, defocus_reference=-reference))[32, 32].item()
    assert (far > 1.015) if z < 0 else (far < 0.985)


def test_image_converges_with_thinner_slices_to_the_same_focus():
    atoms = random_atoms(60, (18.0, 18.0, 48.0), (6, 8, 26), (30.0, 30.0), seed=3)
    fine = intensity(microscope(atoms, 240, 0.2, defocus=0.02))
    errors = []
    for n_slices, thickness in [(6, 8.0), (12, 4.0), (24, 2.0)]:
        image = intensity(microscope(atoms, n_slices, thickness, defocus=0.02, interpolate_z=True))
        errors.append(relative_rms(image - 1, fine - 1))
    # Second order in the thickness: half a slice of defocus would make it first order, 5 %.
    assert errors[0] < 0.01
    assert errors[2] < 0.002
    assert errors[0] / errors[1] > 2


def test_tilted_beam_images_each_plane_where_it_is():
    # Geometry: in focus at the slab's middle, an atom there stays; one at height z walks by z θ.
    tilt = (6.0, -4.0)
    for z in (-40.0, 0.0, 40.0):
        atom = make_atoms([[0.0, 0.0, z]], [14], 60.0)
        one = microscope(atom, 51, 2.0, beam=Beam(200.0, tilt))
        with torch.no_grad():
            wave = one.image(one.exit_wave())[0]
        excess = (wave / wave[0, 0] - 1).abs() ** 2  # the scattered wave's centre
        y, x = pixel_axes((64, 64), PIXEL)
        total = excess.sum()
        center = torch.stack([(excess * x).sum(), (excess * y[:, None]).sum()]) / total
        # The beam arrives at height z displaced by z θ; focused back along itself, the image of
        # the atom moves by -z θ.
        expected = -z * 1e-3 * torch.tensor(tilt, dtype=torch.float64)
        torch.testing.assert_close(center, expected, rtol=0, atol=0.03)


@pytest.mark.parametrize("theta", [2e-3, 5e-3])
def test_small_crystal_tilt_by_the_propagator_is_the_tilt_of_the_atoms(theta):
    n_slices, thickness, shape = 12, 2.0, (72, 72)
    a = 4.0
    cells = torch.cartesian_prod(torch.arange(3), torch.arange(3), torch.arange(n_slices))
    positions = cells * torch.tensor([a, a, thickness]) - torch.tensor([a, a, 11.0])
    positions[:, 0] += 0.5 * a * (cells[:, 2] % 2)  # neighbouring planes are staggered
    atoms = make_atoms(positions, [29] * len(positions), 20.0)
    energy = torch.tensor(200e3, dtype=torch.float64)
    turned = Pose(torch.tensor([0.0, theta, 0.0], dtype=torch.float64))(atoms.positions)
    potential = Potential(atoms, shape, PIXEL, n_slices, thickness)
    with torch.no_grad():
        truth = Multislice(PIXEL, thickness)(potential(turned), beam_of(energy))
        untilted = Multislice(PIXEL, thickness)(potential(), beam_of(energy))
        # In the crystal's frame the beam comes along R^-1 z.
        direction = torch.tensor([-theta, 0.0], dtype=torch.float64)
        wave = Multislice(PIXEL, thickness)(potential(), beam_of(energy, direction))
    # The crystal turns about its middle, the beam was followed to the exit plane.
    walk = theta * (n_slices + 1) * thickness / 2
    _, qx = frequency_grid(shape, PIXEL)
    ramp = torch.exp(-2j * math.pi * qx * walk)
    wave = torch.fft.ifft2(torch.fft.fft2(wave) * ramp)
    assert relative_rms(untilted - 1, truth - 1) > 1.4 * theta
    # What the propagator leaves out is second order in the angle; the wrong sign doubles the error.
    assert relative_rms(wave - 1, truth - 1) < 4 * theta**2


def test_stage_tilt_moves_what_is_high_in_the_direction_of_the_rotation():
    # +10° about y takes +z to +x.
    atom = make_atoms([[0.0, 0.0, 20.0]], [6], 20.0)
    one = microscope(atom, 30, 2.0, stage=Stage(10.0, 90.0))
    with torch.no_grad():
        v = sum(one.specimen.view(one.stage).slices)
    y, x = pixel_axes((64, 64), PIXEL)
    center = (v * x).sum() / v.sum(), (v * y[:, None]).sum() / v.sum()
    assert center[0].item() == pytest.approx(20 * math.sin(math.radians(10)), abs=1e-3)
    assert center[1].item() == pytest.approx(0, abs=1e-3)
