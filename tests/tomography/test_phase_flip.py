"""Where the contrast of tilted samples changes its sign, held against the simulator."""

import math

import pytest
import torch

from difftem.functional.beam import wavelength
from difftem.functional.grid import frequency_grid
from difftem.modules import Beam, Detector, Dose, Lens, Multislice, Potential, Simulator, Stage
from difftem.scene.files.relion_write import Defocus
from difftem.tomography.geometry import SingleAxis, single_axis
from difftem.tomography.phase_flip import Transfer, depths, flipped
from tests.helpers.specimen import quantities, random_atoms

SIDE, PIXEL, TILT, DEFOCUS, AXIS = 192, 1.0, 70.0, 1500.0, 90.0
TRANSFER = Transfer(300.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def tilted_film():
    """Image of a thin film at 70°, less its mean, and the film's projected potential."""
    atoms = random_atoms(600, (3 * SIDE, SIDE, 0.1), b_range=(8.0, 8.0), seed=1)
    slices = Potential(atoms, (SIDE, SIDE), PIXEL, 36, 16.0, interpolate_z=True)
    lens = quantities(defocus_um=DEFOCUS * 1e-4, cs_mm=0.0, cc_mm=0.0, energy_spread_ev=0.0)
    simulator = Simulator(
        slices,
        Multislice(PIXEL, 16.0),
        Lens(PIXEL, **lens),
        Dose(1.0, PIXEL),
        Detector(),
        beam=Beam(300.0),
        stage=Stage(torch.tensor([TILT]), AXIS),
    ).double()
    with torch.no_grad():
        image = simulator.intensity().reshape(SIDE, SIDE)
        turned = Stage(torch.tensor([TILT]), AXIS)(atoms.positions)[0]
        potential = slices(turned).reshape(-1, SIDE, SIDE).sum(0).double()
    return image - image.mean(), potential - potential.mean()


def weak_phase(potential, defocus, sign=lambda transfer: -transfer):
    """Contrast of a thin object at one defocus, after conventions.md, typed anew."""
    length = float(wavelength(torch.tensor(300e3, dtype=torch.float64)))
    qy, qx = frequency_grid((SIDE, SIDE), PIXEL)
    transfer = sign(torch.sin(math.pi * length * defocus * (qx**2 + qy**2)))
    return torch.fft.ifft2(torch.fft.fft2(potential) * transfer).real


def alike(first, second):
    return float((first * second).sum() / (first.norm() * second.norm()))


def test_the_simulator_sees_a_tilted_film_at_the_defocus_that_is_said(tilted_film):
    image, potential = tilted_film
    x = torch.arange(SIDE) - SIDE // 2
    depth = depths(single_axis(torch.tensor([TILT])), 0, (SIDE, SIDE))[SIDE // 2]
    for middle in (-60, -30, 30, 60):
        strip = torch.exp(-((x - middle) ** 2) / (2 * 6.0**2))
        guesses = torch.arange(DEFOCUS - 240, DEFOCUS + 241, 10)
        found = [alike(strip * image, strip * weak_phase(potential, g)) for g in guesses.tolist()]
        best = float(guesses[torch.tensor(found).argmax()])
        expected = DEFOCUS + PIXEL * float(depth[middle + SIDE // 2])
        assert expected == pytest.approx(DEFOCUS - middle * math.tan(math.radians(TILT)))
        assert best == pytest.approx(expected, abs=25), middle
        assert max(found) > 0.95


def test_flipping_by_strips_makes_matter_dark_and_the_wrong_sign_does_not(tilted_film):
    image, potential = tilted_film
    images, defocus = image[None].float(), [Defocus(DEFOCUS, DEFOCUS)]

    far = (torch.arange(SIDE) - SIDE // 2).abs() > SIDE // 6
    qy, qx = frequency_grid((SIDE, SIDE), PIXEL)
    beyond = qx**2 + qy**2 > 0.2**2  # the first zero is at 0.18 / Å

    def darkness(seen):
        """How much of what is beyond the first zero, away from the axis, is dark."""
        seen, matter = (torch.fft.ifft2(torch.fft.fft2(p) * beyond).real for p in (seen, potential))
        return -alike(seen[:, far], matter[:, far])

    def after(tilt):
        geometry = single_axis(torch.tensor([tilt]))
        return darkness(flipped(images, geometry, defocus, TRANSFER, PIXEL)[0][0].double())

    ideal = torch.zeros(SIDE, SIDE, dtype=torch.float64)  # |sin|, line by line
    for column, depth in enumerate(depths(single_axis(torch.tensor([TILT])), 0, (1, SIDE))[0]):
        contrast = weak_phase(potential, DEFOCUS + float(depth), torch.abs)
        ideal[:, column] = -contrast[:, column]
    best = darkness(ideal)
    assert after(TILT) > 0.8 * best
    assert after(0.0) < 0.7 * best  # no strips
    assert after(-TILT) < 0.25 * best  # strips on the wrong side
    assert darkness(image) < 0.0


def test_strips_are_parallel_to_the_axis_wherever_it_runs():
    geometry = single_axis(
        torch.tensor([30.0, -30.0]), 0.0, torch.tensor([[0.0, 0.0], [5.0, -4.0]])
    )
    depth = depths(geometry, 0, (20, 30))
    assert float(depth.std(1).max()) < 1e-9  # one depth along each row: the axis lies along x
    # The axis x takes the place of y: what was x is -y, and it is seen at -(row - 10).
    assert float(depth[14, 3]) == pytest.approx(4 * math.tan(math.radians(30.0)))
    shifted = depths(geometry, 1, (20, 30))
    assert float(shifted[10 - 4].abs().max()) < 1e-9  # the axis is where the shift has put it
    turned = SingleAxis(torch.tensor([90.0]), torch.eye(2)[None], torch.zeros(1, 2))
    assert float(depths(turned, 0, (8, 8)).abs().max()) < 6 * 4.0


def test_signs_are_those_of_the_transfer_function_with_astigmatism_and_phase_plate(generator):
    image = torch.randn(1, 65, 65, generator=generator, dtype=torch.float64)
    u, v, angle, plate = 9000.0, 7000.0, 30.0, 40.0
    transfer = Transfer(200.0, 2.0, 0.1)
    geometry = single_axis(torch.tensor([0.0]))
    done, strips = flipped(image, geometry, [Defocus(u, v, angle, plate)], transfer, 4.0)
    assert strips == 1
    # CTFFIND's formula (Rohou & Grigorieff 2015), with its own wavelength.
    length = 12.2643247 / math.sqrt(200e3 * (1 + 0.978466e-6 * 200e3))
    rim = math.ceil(length * u / 32)
    qy, qx = frequency_grid((65 + 2 * rim, 65 + 2 * rim), 4.0)
    azimuth, q2 = torch.atan2(qy, qx), qx**2 + qy**2
    defocus = (u + v) / 2 + (u - v) / 2 * torch.cos(2 * (azimuth - math.radians(angle)))
    gamma = math.pi * length * q2 * (defocus - 0.5 * length**2 * q2 * 2e7)
    sign = torch.sin(gamma + math.asin(0.1) + math.radians(plate)).sign()
    wide = torch.nn.functional.pad(image, (rim,) * 4, "reflect")
    expected = torch.fft.ifft2(torch.fft.fft2(wide) * sign).real[:, rim:-rim, rim:-rim]
    assert alike(done, expected) > 0.999
    assert alike(done, image) < 0.5


def test_what_no_transfer_has_is_refused():
    for given, message in (
        ((3e5, 2.7, 0.1), "voltage_kv must be 1 to 3000 kV, got 300000"),
        ((300.0, 2.7e7, 0.1), "cs_mm must be at most 100 mm"),
        ((300.0, 2.7, 7.0), "amplitude_contrast must be 0 to below 1, got 7"),
    ):
        with pytest.raises(ValueError, match=message):
            Transfer(*given)
