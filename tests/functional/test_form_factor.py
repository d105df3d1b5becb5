import math

import pytest
import torch

from difftem.constants.scattering import ELEMENT_SYMBOLS, scattering_table
from difftem.functional.form_factor import scattering_factor

TABLES = ["peng", "lobato", "kirkland"]


@pytest.mark.parametrize("name", TABLES)
def test_scattering_factor_agrees_with_abtem(name):
    parametrizations = pytest.importorskip("abtem.parametrizations")
    theirs = {
        "peng": lambda: parametrizations.PengParametrization("peng_low.json"),
        "lobato": parametrizations.LobatoParametrization,
        "kirkland": parametrizations.KirklandParametrization,
    }[name]()
    q = torch.tensor([0.0, 0.02, 0.1, 0.4, 0.9, 1.7, 2.5], dtype=torch.float64)
    numbers = torch.tensor([1, 6, 7, 8, 14, 26, 29, 78, 92])
    ours = scattering_factor(q, numbers, scattering_table(name))
    assert ours.shape == (9, 7)
    for z, row in zip(numbers.tolist(), ours, strict=True):
        f_e = theirs.scattering_factor(ELEMENT_SYMBOLS[z])((q**2).numpy())
        # abTEM holds the parameters in single precision.
        torch.testing.assert_close(row, torch.as_tensor(f_e), rtol=3e-5, atol=1e-9)


@pytest.mark.parametrize("name", TABLES)
def test_abtem_default_peng_is_another_table(name):
    parametrizations = pytest.importorskip("abtem.parametrizations")
    high = parametrizations.PengParametrization()  # "peng_high.json", for q up to 12 1/Å
    q = torch.linspace(0.1, 1.5, 8, dtype=torch.float64)
    f_e = torch.as_tensor(high.scattering_factor("C")((q**2).numpy()))
    ours = scattering_factor(q, torch.tensor([6]), scattering_table(name))[0]
    assert (ours / f_e - 1).abs().max() > 1e-3


def test_potential_of_a_hydrogen_atom_follows_from_its_wave_function():
    # f_x = (1 + (π a0 q)²)^-2 is exact; Mott-Bethe: f_e = (1 - f_x) / (2 π² a0 q²).
    a0 = 0.529177210903
    q = torch.linspace(0.05, 1.5, 30, dtype=torch.float64)
    f_x = (1 + (math.pi * a0 * q) ** 2) ** -2
    exact = (1 - f_x) / (2 * math.pi**2 * a0 * q**2)
    for name in TABLES:
        ours = scattering_factor(q, torch.tensor([1]), scattering_table(name))[0]
        assert ((ours - exact).abs() / exact.max()).max() < 4e-3, name


def test_element_beyond_the_table_is_named():
    with pytest.raises(ValueError, match="peng table ends at Z = 98, got Z = 99"):
        scattering_factor(torch.zeros(1), torch.tensor([99]), scattering_table("peng"))


def test_dtype_follows_the_frequencies():
    for dtype in (torch.float32, torch.float64):
        q = torch.linspace(0, 1, 5, dtype=dtype)
        for name in TABLES:
            assert scattering_factor(q, torch.tensor([8]), scattering_table(name)).dtype == dtype
