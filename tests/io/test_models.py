import gzip

import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import CIF_COLUMNS, cif, line, said, write


def chain(shift, occ=1.0, tremble=0.0):
    """Twenty atoms of a chain as lines of a PDB file."""
    noise = torch.randn(20, generator=torch.Generator().manual_seed(int(shift * 10)))
    return "".join(
        line(i, "CA", shift + 1.5 * i + tremble * float(noise[i]), number=i, occ=occ)
        for i in range(20)
    )


def models(*chains, header=""):
    text = "".join(f"MODEL     {n:4d}\n{each}ENDMDL\n" for n, each in enumerate(chains, 1))
    return header + text + "END\n"


def test_models_side_by_side_are_an_assembly_and_all_taken(tmp_path):
    text = models(*(chain(40.0 * n) for n in range(4)))
    for name in ("copies.pdb", "copies.pdb1"):
        with said() as lines:
            assert len(read_structure(write(tmp_path / name, text))) == 80
        assert "4 models that lie side by side: all taken" in lines[0]
    packed = tmp_path / "copies.pdb1.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert len(read_structure(packed)) == 80
    assert len(read_structure(packed, model=3)) == 20


def test_models_of_nmr_are_alternatives_and_the_first_is_taken(tmp_path):
    text = models(*(chain(0.1 * n, tremble=0.5) for n in range(5)))
    path = write(tmp_path / "nmr.pdb", text)
    with said() as lines:
        atoms = read_structure(path)
    assert len(atoms) == 20
    assert "model 1 of 5" in lines[0]
    assert lines[0].endswith("not used: 4 other models (80 atoms)")
    assert len(read_structure(path, model="all")) == 100
    with pytest.raises(InputError, match="no model 9, the file has 1 to 5"):
        read_structure(path, model=9)


def test_a_file_that_says_nmr_has_alternatives_even_where_they_lie_apart(tmp_path):
    header = "EXPDTA    SOLUTION NMR\n"
    path = write(tmp_path / "nmr.pdb", models(chain(0.0), chain(40.0), header=header))
    assert len(read_structure(path)) == 20


def test_mmcif_models_are_told_the_same_way(tmp_path):
    def rows(apart):
        return [
            f"ATOM {20 * n + i} C CA . GLY A 1 {i} {1.5 * i + apart * n} 2 3 1 20 {n + 1}"
            for n in range(3)
            for i in range(1, 21)
        ]

    columns = [*CIF_COLUMNS, "pdbx_PDB_model_num"]
    together = write(tmp_path / "nmr.cif", cif(*rows(0.2), columns=columns))
    apart = write(tmp_path / "copies.cif", cif(*rows(40.0), columns=columns))
    assert len(read_structure(together)) == 20
    assert len(read_structure(apart)) == 60


def test_models_of_an_assembly_are_not_copied_by_its_operators_again(tmp_path):
    remarks = [
        "REMARK 350 BIOMOLECULE: 1",
        "REMARK 350 APPLY THE FOLLOWING TO CHAINS: A",
        "REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000",
        "REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000",
        "REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000",
        "REMARK 350   BIOMT1   2  1.000000  0.000000  0.000000       40.00000",
        "REMARK 350   BIOMT2   2  0.000000  1.000000  0.000000        0.00000",
        "REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000        0.00000",
    ]
    header = "".join(f"{each}\n" for each in remarks)
    one = write(tmp_path / "unit.pdb", header + chain(0.0))
    two = write(tmp_path / "whole.pdb1", models(chain(0.0), chain(40.0), header=header))
    expanded = write(tmp_path / "expanded.pdb", header + chain(0.0) + chain(40.0))
    assert len(read_structure(one)) == 40
    with said() as lines:
        assert len(read_structure(two)) == 40
        assert len(read_structure(expanded)) == 40
    assert "not used: assembly 1 (the models are its copies)" in lines[0]
    assert "operators of assembly 1, whose copies the file holds" in lines[1]


def test_trp_cage_gives_its_first_model(shared_data):
    with said() as lines:
        assert len(read_structure(shared_data / "structures" / "1l2y.pdb")) == 304
    assert "model 1 of 38" in lines[0]
