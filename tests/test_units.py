import math

import pytest
import torch

from difftem import units

FORWARD = [
    (units.nm_to_angstrom, 0.5, 5.0),
    (units.um_to_angstrom, 1.5, 15_000.0),
    (units.mm_to_angstrom, 2.7, 2.7e7),
    (units.mrad_to_rad, 10.0, 0.01),
    (units.deg_to_rad, 180.0, math.pi),
    (units.kev_to_ev, 300.0, 300_000.0),
    (units.per_nm2_to_per_angstrom2, 100.0, 1.0),
]
THERE_AND_BACK = [
    (units.nm_to_angstrom, units.angstrom_to_nm),
    (units.um_to_angstrom, units.angstrom_to_um),
    (units.mrad_to_rad, units.rad_to_mrad),
    (units.deg_to_rad, units.rad_to_deg),
]


@pytest.mark.parametrize(("convert", "outside", "inside"), FORWARD)
def test_a_float_stays_a_float(convert, outside, inside):
    converted = convert(outside)
    assert isinstance(converted, float)
    assert converted == pytest.approx(inside, rel=1e-15)


@pytest.mark.parametrize(("convert", "outside", "inside"), FORWARD)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_keeps_dtype_and_device(convert, outside, inside, dtype, device):
    converted = convert(torch.tensor([outside, -outside], dtype=dtype, device=device))
    expected = torch.tensor([inside, -inside], dtype=dtype, device=device)
    torch.testing.assert_close(converted, expected)


@pytest.mark.parametrize(("there", "back"), THERE_AND_BACK)
def test_there_and_back_is_the_identity(there, back):
    assert back(there(1.25)) == pytest.approx(1.25, rel=1e-15)


def test_the_gradient_is_the_conversion_factor():
    defocus_um = torch.tensor(1.5, requires_grad=True)
    units.um_to_angstrom(defocus_um).backward()
    assert defocus_um.grad == units.ANGSTROM_PER_UM
