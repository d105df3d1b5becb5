import math

import pytest
import torch

from difftem.constants import physical
from difftem.constants.scattering import (
    ELEMENT_SYMBOLS,
    atomic_number,
    scattering_table,
    suitable_table,
)
from difftem.functional.form_factor import scattering_factor

TABLES = ["peng", "lobato", "kirkland"]


def evaluate(name, z, q):
    """Scattering factor in Å, written from the papers and not from the package."""
    q2 = torch.as_tensor(q, dtype=torch.float64)[:, None] ** 2
    table = scattering_table(name)
    p, r = table.parameters[z].unbind(-1)
    if name == "peng":
        return (p * torch.exp(-r * q2 / 4)).sum(-1)
    if name == "lobato":
        return (p * (2 + r * q2) / (1 + r * q2) ** 2).sum(-1)
    (a, b), (c, d) = table.lorentz[z].unbind(-1), table.gauss[z].unbind(-1)
    return (a / (q2 + b)).sum(-1) + (c * torch.exp(-d * q2)).sum(-1)


def test_derived_constants_follow_from_the_codata_values():
    assert physical.ELECTRON_REST_ENERGY_EV == pytest.approx(510998.95000, rel=1e-9)
    assert pytest.approx(12398.41984, rel=1e-9) == physical.PLANCK_TIMES_C_EV_ANGSTROM
    assert pytest.approx(47.877647, rel=1e-7) == physical.POTENTIAL_CONSTANT
    # h²/(2π m0 e) = 2π a0 (e²/4πε0 a0) = 2π a0² x 27.211386 V
    hartree = 27.211386245988
    by_bohr = 2 * math.pi * physical.BOHR_RADIUS**2 * hartree
    assert pytest.approx(by_bohr, rel=1e-9) == physical.POTENTIAL_CONSTANT


@pytest.mark.parametrize(
    ("name", "last", "n_terms", "n_lorentz"),
    [("peng", 98, 5, 0), ("lobato", 103, 5, 0), ("kirkland", 103, 6, 3)],
)
def test_table_is_indexed_by_atomic_number(name, last, n_terms, n_lorentz):
    table = scattering_table(name)
    assert table.parameters.shape == (last + 1, n_terms, 2)
    assert table.parameters.dtype == torch.float64
    assert table.max_atomic_number == last
    assert table.lorentz.shape[1] == n_lorentz
    assert table.parameters[0].isnan().all()
    assert table.parameters[1:].isfinite().all()
    assert scattering_table(name) is table


def test_forward_scattering_of_free_atoms_agrees_with_the_international_tables():
    # f_e(0) in Å, relativistic Hartree-Fock: International Tables C (2006), table 4.3.1.1.
    expected = {"H": 0.529, "C": 2.509, "N": 2.211, "O": 1.983, "Si": 5.828, "Cu": 5.600}
    for symbol, value in expected.items():
        f0 = evaluate("peng", atomic_number(symbol), [0.0]).item()
        assert f0 == pytest.approx(value, abs=0.015), symbol


def test_hydrogen_is_the_bohr_radius_at_q_zero():
    # The ground state of hydrogen is exact: f_e(0) = a0.
    for name in TABLES:
        assert evaluate(name, 1, [0.0]).item() == pytest.approx(physical.BOHR_RADIUS, rel=3e-3)


def test_large_angle_limit_is_rutherford_scattering_off_the_bare_nucleus():
    # f_e -> 2 Z / (4π² a0 q²) = Z / (2π² a0 q²) by the Mott-Bethe formula, at q = 8 1/Å.
    q = 8.0
    for name in ["lobato", "kirkland"]:
        for z in (1, 6, 8, 14):
            limit = z / (2 * math.pi**2 * physical.BOHR_RADIUS * q**2)
            assert evaluate(name, z, [q]).item() == pytest.approx(limit, rel=0.08)


@pytest.mark.parametrize("symbol", ["H", "C", "N", "O", "P", "S", "Fe", "Pt", "U"])
def test_tables_agree_with_each_other_where_protein_scatters(symbol):
    q = torch.linspace(0.0, 1.5, 16)
    z = atomic_number(symbol)
    peng, lobato, kirkland = (evaluate(name, z, q) for name in TABLES)
    # Each is a fit to its own atomic calculation.
    assert (lobato - kirkland).abs().max() < 0.05 * kirkland.max()
    assert (peng - kirkland).abs().max() < 0.05 * kirkland.max()


@pytest.mark.parametrize("name", TABLES)
def test_every_element_agrees_with_abtem(name):
    parametrizations = pytest.importorskip("abtem.parametrizations")
    theirs = {
        "peng": lambda: parametrizations.PengParametrization("peng_low.json"),
        "lobato": parametrizations.LobatoParametrization,
        "kirkland": parametrizations.KirklandParametrization,
    }[name]()
    q = torch.tensor([0.0, 0.05, 0.3, 1.0, 2.0], dtype=torch.float64)
    for z in range(1, scattering_table(name).max_atomic_number + 1):
        ours = evaluate(name, z, q)
        f_e = torch.as_tensor(theirs.scattering_factor(ELEMENT_SYMBOLS[z])((q**2).numpy()))
        # abTEM holds parameters in single precision, and Lobato's large terms cancel.
        torch.testing.assert_close(ours, f_e, rtol=3e-5, atol=1e-9)


def test_unknown_table_is_named():
    with pytest.raises(ValueError, match=r"'doyle'.* peng, lobato, kirkland"):
        scattering_table("doyle")


def test_symbols_are_read_in_any_case_and_unknown_ones_are_named():
    assert len(ELEMENT_SYMBOLS) == 104
    assert [atomic_number(s) for s in ("H", "fe", "PT", " U", "Lr")] == [1, 26, 78, 92, 103]
    for symbol in ("Xx", "", "D2"):
        with pytest.raises(ValueError, match=f"unknown element '{symbol}'"):
            atomic_number(symbol)


@pytest.mark.parametrize("z", [6, 8, 14, 78])
def test_the_suitable_table_is_within_four_percent_of_the_others_wherever_it_is_chosen(z):
    for frequency in (1.0, 3.0, 4.0, 4.1, 6.0):
        q, atom = torch.tensor([frequency]).double(), torch.tensor([z])
        chosen, kirkland, peng = (
            scattering_factor(q, atom, scattering_table(name)).item()
            for name in (suitable_table(frequency), "kirkland", "peng")
        )
        assert chosen == pytest.approx(kirkland, rel=0.04)
    assert peng / kirkland < 0.8  # at 6 1/Å; platinum's is 34 % too low
