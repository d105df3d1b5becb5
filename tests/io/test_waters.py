import gzip

import pytest

from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import bare_line, cif, said, write

NAMES = (
    "HOH WAT DOD H2O TIP TIP2 TIP3 TIP4 TIP5 T3P T4P T5P TP3 TP4 TP5 SOL SPC SPCE OH2 SWM4".split()
)


def box(name, oxygen=" OH2", hydrogens=(" H1 ", " H2 "), more=()):
    """A glycine's CA and three waters, as MD programs write them: no elements."""
    lines = [bare_line(" CA ", "GLY", 1)]
    for number in (2, 3, 4):
        atoms = (oxygen, *hydrogens, *more)
        lines += [bare_line(atom, name, number, float(i)) for i, atom in enumerate(atoms)]
    return "".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_waters_of_every_name_are_left_out_and_counted(tmp_path, name):
    path = write(tmp_path / "box.pdb", box(name))
    with said() as lines:
        assert len(read_structure(path, waters=False)) == 1
    assert lines[0].endswith("not used: 3 waters")
    assert len(read_structure(path)) == 10
    atoms = read_structure(path, hydrogens="implicit")
    hydrogens = atoms.select(atoms.atomic_numbers == 1)
    assert hydrogens.occupancies.tolist() == [2.0] * 4  # CA of glycine, three oxygens


@pytest.mark.parametrize("name", ["TIP3P", "SPC/E", "WATER", "SWM4-NDP", "MYWATER"])
def test_waters_of_mmcif_have_names_of_any_length(tmp_path, name):
    rows = ["ATOM 1 C CA . GLY A 1 1 1 2 3 1 20"]
    rows += [f"HETATM 2 O O . {name} W 2 . 5 2 3 1 20", f"HETATM 3 H H1 . {name} W 2 . 6 2 3 1 20"]
    rows += [f"HETATM 4 H H2 . {name} W 2 . 5 3 3 1 20"]
    path = write(tmp_path / "box.cif", cif(*rows))
    assert len(read_structure(path, waters=False)) == 1
    assert len(read_structure(path)) == 4


def test_virtual_sites_and_drude_particles_of_water_are_no_atoms(tmp_path):
    text = box("TIP4", more=(" MW ",)) + box("TIP5", more=(" LP1", " LP2"))
    text += box("SWM4", more=("DOH2", " OM "))
    path = write(tmp_path / "box.pdb.gz", "")
    path.write_bytes(gzip.compress(text.encode()))
    with said() as lines:
        assert len(read_structure(path)) == 3 * 10
    assert "not used: 15 virtual sites of water" in lines[0]


def test_what_has_the_name_of_a_water_and_other_elements_stays(tmp_path):
    # OPC is a lipid of the PDB and a water model, T3P a nucleotide and a water model.
    lipid = [bare_line(name, "OPC", 1, float(i)) for i, name in enumerate((" C1 ", " O1 ", " P  "))]
    oxide = [bare_line(" O  ", "OXO", 2, 9.0)]
    path = write(tmp_path / "lipid.pdb", "".join([*lipid, *oxide]))
    assert read_structure(path, waters=False).atomic_numbers.tolist() == [6, 8, 15, 8]


def test_waters_whose_hexadecimal_numbers_read_alike_are_all_waters(tmp_path):
    lines = [bare_line(" CA ", "GLY", 1)]
    for number in ("270f", "270e", "2710"):
        atoms = (" OH2", " H1 ", " H2 ")
        lines += [
            bare_line(atom, "TIP3", 1, float(i), serial="186a0").replace("A   1 ", f"A{number} ")
            for i, atom in enumerate(atoms)
        ]
    path = write(tmp_path / "vmd.pdb", "".join(lines))
    assert len(read_structure(path, waters=False)) == 1


def test_a_file_of_water_alone_is_refused_with_advice(tmp_path):
    path = write(tmp_path / "drop.pdb", box("SOL").split("\n", 1)[1])
    assert len(read_structure(path)) == 9
    with pytest.raises(InputError, match=r"no atoms are left without water \(structure.waters"):
        read_structure(path, waters=False)
