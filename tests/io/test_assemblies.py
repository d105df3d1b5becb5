import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import cif, line, said, write

MATRICES = """MTRIX1   1  1.000000  0.000000  0.000000        0.00000    1
MTRIX2   1  0.000000  1.000000  0.000000        0.00000    1
MTRIX3   1  0.000000  0.000000  1.000000        0.00000    1
MTRIX1   2 -1.000000  0.000000  0.000000       60.00000{given}
MTRIX2   2  0.000000 -1.000000  0.000000       60.00000{given}
MTRIX3   2  0.000000  0.000000  1.000000        0.00000{given}
"""
OPERATORS = """loop_
_struct_ncs_oper.id
_struct_ncs_oper.code
{columns}1 given 1 0 0 0 1 0 0 0 1 0 0 0
2 {code} -1 0 0 0 -1 0 0 0 1 60 60 0
"""


def test_strict_symmetry_is_applied_and_said(tmp_path):
    lines_of_atoms = "".join(line(i, "CA", 1.5 * i, number=i) for i in range(1, 21))
    path = write(tmp_path / "ncs.pdb", MATRICES.format(given="") + lines_of_atoms)
    with said() as lines:
        atoms = read_structure(path, dtype=torch.float64)
    assert len(atoms) == 40
    assert atoms.positions[20].tolist() == [60 - 1.5, 60 - 2.0, 3.0]
    assert "strict NCS applied (MTRIX, 2 copies)" in lines[0]
    with said() as lines:
        assert len(read_structure(path, assembly="none")) == 20
    assert lines[0].endswith("not used: strict NCS (MTRIX, 2 copies)")


def test_copies_that_the_file_holds_are_not_made_again(tmp_path):
    both = [line(i, "CA", 1.5 * i, number=i) for i in range(1, 21)]
    given = write(tmp_path / "given.pdb", MATRICES.format(given="    1") + "".join(both))
    assert len(read_structure(given)) == 20
    images = [each.replace("   2.000   3.000", "  58.000   3.000") for each in both]
    images = [f"{each[:30]}{60 - float(each[30:38]):8.3f}{each[38:]}" for each in images]
    text = MATRICES.format(given="") + "".join([*both, *images])
    assert len(read_structure(write(tmp_path / "there.pdb", text))) == 40


@pytest.mark.parametrize(("code", "n_atoms"), [("generate", 2), ("given", 1)])
def test_strict_symmetry_of_mmcif_is_applied(tmp_path, code, n_atoms):
    names = [f"matrix[{i}][{j}]" for i in (1, 2, 3) for j in (1, 2, 3)]
    names += [f"vector[{i}]" for i in (1, 2, 3)]
    columns = "".join(f"_struct_ncs_oper.{name}\n" for name in names)
    text = cif("ATOM 1 C CA . GLY A 1 1 1.5 2 3 1 20") + OPERATORS.format(
        code=code, columns=columns
    )
    assert len(read_structure(write(tmp_path / "ncs.cif", text))) == n_atoms


@pytest.mark.parametrize("names", [("A", "B"), ("HEAVYCHAIN_1", "HEAVYCHAIN_22"), ("C" * 99, "L")])
def test_chains_of_an_assembly_have_names_of_any_length(tmp_path, names):
    rows = [
        f"ATOM {i} C VERYLONGNAME . LONGRESIDUE {name} LONGENTITY {i} {5 * i} 0 0 1 20"
        for i, name in enumerate(names, 1)
    ]
    matrix = [f"matrix[{i}][{j}]" for i in (1, 2, 3) for j in (1, 2, 3)]
    columns = ["id", *matrix, "vector[1]", "vector[2]", "vector[3]"]
    text = cif(*rows) + "loop_\n_pdbx_struct_assembly.id\n_pdbx_struct_assembly.details\n1 x\n"
    text += "loop_\n_pdbx_struct_assembly_gen.assembly_id\n"
    text += "_pdbx_struct_assembly_gen.oper_expression\n_pdbx_struct_assembly_gen.asym_id_list\n"
    text += f"1 1,2 {','.join(names)}\nloop_\n"
    text += "".join(f"_pdbx_struct_oper_list.{each}\n" for each in columns)
    text += "1 1 0 0 0 1 0 0 0 1 0 0 0\n2 -1 0 0 0 -1 0 0 0 1 0 0 30\n"
    with said() as lines:
        atoms = read_structure(write(tmp_path / "long.cif", text))
    assert atoms.positions[:, 0].tolist() == [5.0, 10.0, -5.0, -10.0]
    assert "4 atoms (C 4), assembly 1 (2 copies)" in lines[0]


def test_operators_that_turn_nothing_are_refused(tmp_path):
    atom = line(1, "CA", 1.0)
    for new in ("-2.000000", "      nan", " 0.000000"):
        text = MATRICES.format(given="").replace("-1.000000  0.0", f"{new}  0.0")
        with pytest.raises(InputError, match=r"strict NCS: operator 2 is no rotation and shift"):
            read_structure(write(tmp_path / "bad.pdb", text + atom))
