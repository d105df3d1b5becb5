import gzip
import math

import pytest

from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import said, write

CELL = """data_global
_publ_contact_author_name 'A. Body'
data_CeO2
_cell_length_a 5.411(1)
_cell_length_b 5.411(1)
_cell_length_c 5.411(1)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
"""
GROUP = "_space_group_name_H-M_alt 'F m -3 m'\n_space_group_IT_number 225\n"
SITES = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_occupancy
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
Ce1 Ce4+ 0.8 0 0 0 0.004
Zr1 Zr4+ 0.2 0 0 0 0.004(1)
O1 O2- 0.9 0.25 0.25 0.25 0.010
"""


def test_a_cell_is_filled_by_symmetry_with_occupancies_and_displacements(tmp_path):
    packed = tmp_path / "ceo2.cif.gz"
    packed.write_bytes(gzip.compress((CELL + GROUP + SITES).replace("\n", "\r\n").encode()))
    for path in (write(tmp_path / "ceo2.cif", CELL + GROUP + SITES), packed):
        with said() as lines:
            atoms = read_structure(path)
        assert atoms.atomic_numbers.tolist() == [58] * 4 + [40] * 4 + [8] * 8
        assert atoms.occupancies.tolist() == pytest.approx([0.8] * 4 + [0.2] * 4 + [0.9] * 8)
        b = [8 * math.pi**2 * u for u in (0.004, 0.010)]
        assert b == pytest.approx([0.316, 0.790], abs=5e-4)
        assert atoms.b_factors.tolist() == pytest.approx([b[0]] * 8 + [b[1]] * 8, rel=1e-6)
        assert "one unit cell of 5.411 x 5.411 x 5.411 Å (F m -3 m) from 3 sites" in lines[0]
        # Fluorite: every oxygen has four cations at a√3/4, in the cell or in its neighbours.
        apart = atoms.positions[8:, None] - atoms.positions[None, :4]
        apart -= 5.411 * (apart / 5.411).round()
        assert apart.norm(dim=-1).flatten().tolist() == pytest.approx([5.411 * 3**0.5 / 4] * 32)
        assert 0 <= atoms.positions.min() and atoms.positions.max() < 5.411


@pytest.mark.parametrize(
    ("group", "n_atoms"),
    [
        ("_symmetry_space_group_name_H-M 'P 1'\n", 3),
        ("_space_group_IT_number 225\n", 16),
        ("_space_group_name_Hall '-F 4 2 3'\n", 16),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n'-x,-y,-z'\n", 4),
        ("loop_\n_space_group_symop_operation_xyz\n'x, y, z'\n'x+1/2, y+1/2, z'\n", 6),
        ("", 3),
    ],
)
def test_symmetry_comes_from_operations_name_or_number(tmp_path, group, n_atoms):
    path = write(tmp_path / "ceo2.cif", CELL + group + SITES)
    with said() as lines:
        assert len(read_structure(path)) == n_atoms
    assert ("no symmetry in the file" in lines[0]) == (group == "")


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("_atom_site_B_iso_or_equiv", ("0.4", "0.5", "0.6"), (0.4, 0.5, 0.6)),
        ("_atom_site_B_iso_or_equiv", ("0.4", "?", "."), (0.4, 0.7, 0.7)),
        ("_atom_site_disorder_group", (".", ".", "."), (0.7, 0.7, 0.7)),
    ],
)
def test_b_factors_come_from_b_or_the_default(tmp_path, column, values, expected):
    lines = SITES.replace("_atom_site_U_iso_or_equiv", column).splitlines()
    rows = [each.rsplit(" ", 1)[0] for each in lines[-3:]]
    text = "\n".join([*lines[:-3], *(f"{r} {v}" for r, v in zip(rows, values, strict=True)), ""])
    path = write(tmp_path / "b.cif", CELL + text)
    with said() as account:
        atoms = read_structure(path, default_b_factor=0.7)
    assert atoms.b_factors.tolist() == pytest.approx(expected)
    assert ("column disorder_group" in account[0]) == ("disorder" in column)


def test_anisotropic_displacements_give_their_mean(tmp_path):
    sites = SITES.replace("0.25 0.25 0.25 0.010", "0.25 0.25 0.25 ?")
    names = "".join(
        f"_atom_site_aniso_{n}\n" for n in "label U_11 U_22 U_33 U_12 U_13 U_23".split()
    )
    text = CELL + GROUP + sites + f"loop_\n{names}O1 0.01 0.02 0.03 0 0 0\n"
    atoms = read_structure(write(tmp_path / "aniso.cif", text))
    assert atoms.b_factors[-1].item() == pytest.approx(8 * math.pi**2 * 0.02, rel=1e-5)


def test_an_oblique_cell_is_laid_out_with_a_along_x(tmp_path):
    text = CELL.replace("_cell_angle_gamma 90", "_cell_angle_gamma 120")
    path = write(tmp_path / "hexagonal.cif", text + SITES.replace("0.25 0.25 0.25", "0 0.5 0"))
    x, y, _ = read_structure(path).positions[2].tolist()
    assert (x, y) == pytest.approx((-5.411 / 4, 5.411 * 3**0.5 / 4))


def test_sites_without_type_symbols_are_known_by_their_labels(tmp_path):
    lines = [each for each in SITES.splitlines() if "type_symbol" not in each]
    rows = [" ".join(each.split()[:1] + each.split()[2:]) for each in lines[-3:]]
    text = "\n".join([*lines[:-3], *rows, ""]).replace("Ce1", "CE1A").replace("O1", "O(1)")
    atoms = read_structure(write(tmp_path / "labels.cif", CELL + text.replace("CE1A", "Ce1A")))
    assert atoms.atomic_numbers.tolist() == [58, 40, 8]


DIAMOND = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
NUMBER = "_space_group_IT_number 227\n"


@pytest.mark.parametrize(
    ("group", "site", "note"),
    [
        # Of the two origins of a group the second unless the file says another.
        ("_symmetry_space_group_name_H-M 'F d -3 m'\n", "1/8", True),
        (NUMBER, "1/8", True),
        ("_symmetry_space_group_name_H-M 'F d -3 m :1'\n", "0", False),
        ("_symmetry_space_group_name_H-M 'F d -3 m S'\n" + NUMBER, "0", False),
        ("_symmetry_space_group_name_H-M 'F d -3 m Z'\n" + NUMBER, "1/8", False),
        ("_symmetry_space_group_name_H-M 'F d -3 m (origin choice 1)'\n" + NUMBER, "0", False),
        ("_space_group_name_Hall 'F 4d 2 3 -1d'\n", "0", False),
        ("_space_group_name_Hall '-F 4vw 2vw 3'\n", "1/8", False),
    ],
)
def test_silicon_has_eight_atoms_from_either_origin(tmp_path, group, site, note):
    place = {"0": "0 0 0", "1/8": "0.125 0.125 0.125"}[site]
    path = write(tmp_path / "si.cif", CELL + group + DIAMOND + f"Si1 {place}\n")
    with said() as lines:
        assert len(read_structure(path)) == 8
    assert ("names none of its two origins) from 1 site," in lines[0]) == note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CELL + "_space_group_name_H-M_alt 'Q 9'\n" + SITES, "unknown space group 'Q 9'"),
        ("data_x\n" + SITES, "no _cell_length"),
        (CELL + "loop_\n_space_group_symop_operation_xyz\n'x,y,w'\n" + SITES, "bad symmetry"),
        (CELL + SITES.replace("O2-", "Qq"), "atom 3 'O1': unknown element"),
        (CELL + SITES.replace(" 0 0 0 ", " ? ? ? ").replace("0.25", "?"), "no atoms"),
        (CELL + SITES.replace("0.010", "-0.1"), "B-factor must be >= 0 Å², got -7.8"),
        (CELL.replace("a 5.411(1)", "a 0") + SITES, "no _cell_length and _cell_angle that span"),
        (CELL, "no atoms: no _atom_site loop"),
    ],
)
def test_crystals_that_cannot_be_built_are_refused_in_one_line(tmp_path, text, message):
    path = write(tmp_path / "bad.cif", text)
    with pytest.raises(InputError, match=message) as refused:
        read_structure(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError):
        read_structure(path, selection="//A")
