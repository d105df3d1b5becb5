import pytest
import torch

from difftem.constants.displaced_volume import DISPLACED_VOLUME
from difftem.modules import Beam, FlatIce, Potential, Stage, StructuredIce
from difftem.modules.displaced_ice import DisplacedIce
from tests.helpers.specimen import random_atoms

ATOMS = random_atoms(40, (12.0, 10.0, 18.0), (1, 6, 7, 8), (20.0, 40.0))


def potential(**kwargs):
    return Potential(ATOMS, (40, 44), 0.8, 4, 5.0, periodic=False, **{"solvated": True} | kwargs)


def test_the_slices_hold_the_volumes_of_the_atoms():
    displaced = DisplacedIce(potential())
    view = displaced.view(Stage(), Beam())
    assert list(view.heights) == pytest.approx([-7.5, -2.5, 2.5, 7.5])
    found = torch.stack(list(view.slices))
    pairs = zip(ATOMS.atomic_numbers.tolist(), ATOMS.occupancies.tolist(), strict=True)
    expected = sum(DISPLACED_VOLUME[z] * occupancy for z, occupancy in pairs)
    assert float(found.sum()) * 0.8**2 == pytest.approx(expected, rel=1e-3)
    middle = found[:, 20, 22].mean()
    assert float(middle) > 5 * abs(float(found[:, 2, 2].mean()))


def test_ice_grows_thin_where_atoms_are():
    made = potential()
    specimen = StructuredIce(made, FlatIce(2.0), displaced=DisplacedIce(made)).double()
    without = StructuredIce(made, FlatIce(2.0)).double()
    atoms = torch.stack(list(made.slices()))
    squares = []
    for each in (specimen, without):
        total = torch.zeros(40, 44, dtype=torch.float64)
        for each.seed in range(12):
            slices = torch.stack(list(each.view(Stage(), Beam(), 0).slices))
            total += ((slices - atoms) ** 2).sum(0)
        squares.append(total)
    lengths = torch.stack(list(DisplacedIce(made).view(Stage()).slices))
    left = (5.0 - lengths).clamp(min=0).sum(0) / 20
    ratio = squares[0] / squares[1]
    inside = left < 0.8
    assert int(inside.sum()) > 30
    torch.testing.assert_close(ratio[inside].mean(), left[inside].mean(), rtol=0.1, atol=0)
    assert float(ratio[:4].mean()) == pytest.approx(1.0, abs=0.02)


def test_a_structure_in_vacuum_displaces_nothing():
    with pytest.raises(ValueError, match="must be solvated"):
        DisplacedIce(potential(solvated=False))
