"""Files of other programs with the values that are right for them; ../shared/trials has them."""

import pytest
import torch

from difftem.constants.scattering import scattering_table
from difftem.functional.form_factor import scattering_factor
from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import said

VOLT = 47.8780  # V Å² of a scattering factor of 1 Å: h² / (2π m e)


@pytest.fixture
def trials(shared_data):
    folder = shared_data.parent / "trials"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/trials beside the repository")
    return folder


def integral(atoms):
    """Integral of the potential in V Å³."""
    kinds, index = atoms.atomic_numbers.unique(return_inverse=True)
    zero = torch.zeros(1, dtype=torch.float64)
    factors = scattering_factor(zero, kinds, scattering_table("peng"))[:, 0]
    return VOLT * float((factors[index] * atoms.occupancies).sum())


@pytest.mark.parametrize(
    ("name", "options", "n_atoms", "words"),
    [
        ("mdbox_HOH.pdb.gz", {"waters": False}, 304, "1159 waters"),
        ("mdbox_TIP3.pdb.gz", {"waters": False}, 304, "1159 waters"),
        ("mdbox_TIP3.pdb.gz", {"waters": False, "hydrogens": "implicit"}, 250, "1159 waters"),
        ("mdbox_TIP3.pdb.gz", {}, 3781, "atoms"),
        ("assembly_as_models.pdb.gz", {}, 4060, "4 models that lie side by side: all taken"),
        ("ceo2_sym.cif", {}, 16, "one unit cell"),
        ("long_chain.cif", {}, 6, "assembly 1 (2 copies)"),
        ("mtrix_only.pdb", {}, 40, "strict NCS applied"),
        ("altloc_icode.pdb", {}, 9, "1 atom of occupancy 0"),
        ("two_frames.xyz", {}, 2, "frame 2 of 2"),
        ("no_bfactor.cif", {}, 4, "default_b_factor"),
        ("negative_b.cif", {"b_factor": 20.0}, 4, "B 20 Å²"),
        ("occ_zero.pdb", {"occupancy": 1.0}, 50, "occupancy 1 of every atom"),
    ],
)
def test_atoms_of_the_file_are_counted(trials, name, options, n_atoms, words):
    with said() as lines:
        assert len(read_structure(trials / name, **options)) == n_atoms
    assert words in lines[0]


@pytest.mark.parametrize(
    ("name", "hydrogens", "volume"),
    [
        ("ceo2_occ.xyz", "file", 533_540),
        ("ceo2_prismatic.xyz", "file", 533_540),
        ("lipid_bilayer_H.pdb.gz", "file", 370_766),
        ("lipid_bilayer_H.pdb.gz", "implicit", 370_766),
    ],
)
def test_integral_of_the_potential_is_that_of_the_atoms(trials, name, hydrogens, volume):
    atoms = read_structure(trials / name, hydrogens=hydrogens)
    assert integral(atoms) == pytest.approx(volume, rel=2e-5)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("charmm_ions_pot_cla_sod.pdb", [19, 17, 11, 20, 55]),
        ("ion_charges.pdb", [30, 12, 17, 20, 26, 19, 11]),
        ("left_aligned_ca_trace.pdb", [6] * 30),
    ],
)
def test_elements_are_those_of_the_file(trials, name, numbers):
    assert read_structure(trials / name).atomic_numbers.tolist() == numbers


@pytest.mark.parametrize(
    ("name", "advice"),
    [("negative_b.cif", "structure.b_factor"), ("occ_zero.pdb", "structure.occupancy")],
)
def test_what_cannot_be_meant_is_refused_with_advice(trials, name, advice):
    with pytest.raises(InputError, match=advice):
        read_structure(trials / name)
