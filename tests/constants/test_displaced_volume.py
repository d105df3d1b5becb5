import pytest
import torch

from difftem.constants.displaced_volume import DISPLACED_VOLUME
from difftem.io.examples import example_structure
from difftem.io.structure import read_structure

MASSES = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999, 16: 32.06}  # Da


def test_a_protein_displaces_its_partial_specific_volume():
    # 0.73 cm³/g, the usual value for proteins, is 1.21 Å³/Da; they scatter by some 3 %.
    atoms = read_structure(example_structure(), hydrogens="implicit", waters=False)
    assert set(torch.unique(atoms.atomic_numbers).tolist()) - set(MASSES) <= {48, 20, 17}
    protein = atoms.select(torch.isin(atoms.atomic_numbers, torch.tensor(list(MASSES))))
    total = {
        name: sum(
            table[z] * float(protein.occupancies[protein.atomic_numbers == z].double().sum())
            for z in MASSES
        )
        for name, table in (("volume", DISPLACED_VOLUME), ("mass", MASSES))
    }
    assert total["volume"] / total["mass"] == pytest.approx(0.73 / 0.602214, rel=0.05)
