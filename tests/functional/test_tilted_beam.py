import math

import pytest
import torch

from difftem.functional.grid import frequency_grid
from difftem.functional.lens import ABERRATIONS, aberration_gradient, aberration_phase
from difftem.functional.tilted_beam import aberrations_about_tilt

WAVELENGTH = torch.tensor(0.0196875, dtype=torch.float64)


def number(value):
    return torch.tensor(value, dtype=torch.float64)


@pytest.mark.parametrize("tilt", [(1e-3, -5e-4), (0.0, 0.0), (-2e-3, 0.0)])
def test_the_phase_about_the_beam_is_that_of_the_lens_at_the_tilted_frequency(tilt):
    generator = torch.Generator().manual_seed(3)
    sizes = {1: 1e4, 2: 1e4, 3: 3e7, 4: 1e7, 5: 5e8}
    lens = {
        name: sizes[n] * (torch.rand((), generator=generator, dtype=torch.float64) - 0.5)
        for name, (n, _, _) in ABERRATIONS.items()
    }
    tilt = number(tilt)
    about, shift = aberrations_about_tilt(lens, tilt)
    qy, qx = frequency_grid((24, 20), 1.0)
    ty, tx = (tilt[i] / WAVELENGTH for i in (1, 0))
    origin = aberration_phase(ty.reshape(1, 1), tx.reshape(1, 1), WAVELENGTH, lens)
    expected = aberration_phase(qy + ty, qx + tx, WAVELENGTH, lens) - origin
    linear = 2 * math.pi * (qx * shift[0] + qy * shift[1])
    found = aberration_phase(qy, qx, WAVELENGTH, about) + linear
    assert float((found - expected).abs().max()) < 1e-9 * float(expected.abs().max())
    # What is linear in q is the gradient at the beam.
    gy, gx = aberration_gradient(ty.reshape(1, 1), tx.reshape(1, 1), WAVELENGTH, lens)
    gradient = torch.stack([gx.squeeze(), gy.squeeze()]) / (2 * math.pi)
    assert torch.allclose(shift, gradient, rtol=1e-9, atol=1e-9)


def test_spherical_aberration_becomes_the_coma_and_shift_of_textbooks():
    cs, defocus, tilt = 2.7e7, 11_000.0, number((1.1e-3, 0.0))
    about, shift = aberrations_about_tilt({"C10": number(-defocus), "C30": number(cs)}, tilt)
    assert shift[0].item() == pytest.approx((-defocus + cs * 1.1e-3**2) * 1.1e-3, rel=1e-12)
    assert shift[1].item() == 0
    assert about["C21a"].item() == pytest.approx(3 * cs * 1.1e-3, rel=1e-12)
    assert about["C21b"].item() == pytest.approx(0)
    assert about["C10"].item() == pytest.approx(-defocus + 2 * cs * 1.1e-3**2, rel=1e-12)
    assert about["C12a"].item() == pytest.approx(cs * 1.1e-3**2, rel=1e-12)
    assert about["C30"].item() == pytest.approx(cs)


def test_shift_and_coefficients_have_gradients():
    tilt = number((1.0, 2.0)).requires_grad_()  # mrad
    cs = number(2.7).requires_grad_()  # mm

    def together(cs, tilt):
        about, shift = aberrations_about_tilt({"C30": 1e7 * cs, "C12b": number(9.0)}, tilt / 1e3)
        return torch.stack([about["C21a"], about["C12a"], about["C10"], *shift])

    assert torch.autograd.gradcheck(together, (cs, tilt))
