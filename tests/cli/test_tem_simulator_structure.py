"""`difftem simulate input.txt` with a particle from a PDB file."""

import mrcfile
import numpy as np
import pytest

from tests.helpers.tem_simulator import INPUT

PDB = """source = pdb
pdb_file_in = blob.pdb
voxel_size = 0.4
map_file_re_out = re.mrc
map_file_im_out = im.mrc
"""
RANDOM = INPUT[INPUT.index("source = random") : INPUT.index("=== particleset")]
FROM_PDB = INPUT.replace(RANDOM, PDB)


DENSE = 60  # copies in one place: as few atoms as these are less than ice


def write_copies(folder, *shifts):
    """Write transforms that move the structure along x, dense enough to be seen."""
    rows = [f"1 0 0 {x}\n0 1 0 0\n0 0 1 0\n" for x in shifts for _ in range(DENSE)]
    (folder / "t.txt").write_text(f"{3 * len(rows)} 4\n{''.join(rows)}")
    return ("voxel_size", "pdb_transf_file_in = t.txt\nvoxel_size")


def maps(folder):
    return [mrcfile.read(folder / name) for name in ("re.mrc", "im.mrc")]


def test_maps_hold_the_atoms_in_ice(simulate_input, pdb):
    """40 atoms within 20 Å and 5 Å around; nothing is below ice."""
    code, err, folder = simulate_input(write_copies(pdb.parent, 0), text=FROM_PDB)
    assert code == 0, err
    real, imaginary = maps(folder)
    assert all(6 <= n <= 8 for n in real.shape)
    assert real.min() == pytest.approx(4.877462, rel=1e-6)
    assert imaginary.min() == pytest.approx(0.8244816, rel=1e-6)
    assert real.max() > 6
    assert imaginary.max() > 0.9


def test_size_can_be_given_and_the_mean_needs_no_absorption_map(simulate_input, pdb):
    change = ("voxel_size", "nx = 20\nnz = 10\nuse_imag_pot = no\nfamp = 0.1\nvoxel_size")
    code, err, folder = simulate_input(change, text=FROM_PDB)
    assert code == 0, err
    nz, ny, nx = mrcfile.read(folder / "re.mrc").shape
    assert (nz, nx) == (10, 20)
    assert 6 <= ny <= 8
    assert not (folder / "im.mrc").exists()


def test_transforms_copy_the_structure(simulate_input, pdb):
    change = write_copies(pdb.parent, -40, 40)
    code, err, folder = simulate_input(change, text=FROM_PDB)
    assert code == 0, err
    real = maps(folder)[0]
    assert real.shape[2] - real.shape[1] in range(18, 23)  # 80 Å of 4 Å voxels
    assert real.max() > 6
    # 80 Å are 20 voxels.
    np.testing.assert_allclose(real[:, :, :6], real[:, :, 20:26], atol=2e-3)


def test_what_is_read_otherwise_is_said(simulate_input, pdb):
    operators = [
        f"REMARK 350   BIOMT1   {n}  1.000000  0.000000  0.000000       {n}.00000" for n in (1, 2)
    ]
    lines = [line for line in pdb.read_text().splitlines() if line.startswith("HETATM")]
    hydrogen = lines[1][:76] + " H" + lines[1][78:]
    short = lines[2][:70]
    pdb.write_text("\n".join([*operators, lines[0], hydrogen, short, *lines[3:], "END", ""]))
    code, err, folder = simulate_input(text=FROM_PDB)
    assert code == 0, err
    log = (folder / "run.log").read_text()
    for words in ("REMARK 350", "1 atoms in lines shorter than 78", "hydrogens of the file"):
        assert words in log
        assert words in err


def test_two_distant_copies_need_coarser_voxels(simulate_input, pdb):
    change = write_copies(pdb.parent, 0, 9000)
    code, err, _ = simulate_input(change, text=FROM_PDB)
    assert code == 2
    assert "at most 1000 a side" in err
    assert "larger voxel_size than 0.4 nm" in err
