import pytest
import torch

from difftem.atoms import Atoms
from difftem.constants.displaced_volume import DISPLACED_VOLUME, OTHER_DISPLACED_VOLUME
from difftem.functional.solvent import ice_molecules_per_a3, ice_potential
from difftem.modules import Potential
from tests.helpers.specimen import make_atoms, project, random_atoms

ATOMS = random_atoms(15, (12.0, 10.0, 9.0), (1, 6, 7, 8, 16), (20.0, 40.0))


def test_module_gives_the_slices_of_its_functions():
    slices = Potential(ATOMS, (24, 27), 0.6, 4, 2.5)()
    assert slices.shape == (4, 24, 27)
    expected = project(ATOMS, (24, 27), 0.6, n_slices=4, slice_thickness=2.5)
    torch.testing.assert_close(slices, expected, rtol=0, atol=1e-12)


def test_batch_of_coordinates_is_a_loop_over_them():
    potential = Potential(ATOMS, (20, 21), 0.7, 3, 3.0)
    moved = torch.stack([ATOMS.positions + i for i in range(6)]).reshape(2, 3, 15, 3)
    together = potential(moved)
    assert together.shape == (2, 3, 3, 20, 21)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(together[i, j], potential(moved[i, j]))


def test_streamed_slices_are_the_stacked_ones():
    potential = Potential(ATOMS, (20, 21), 0.7, 3, 3.0)
    for streamed, stacked in zip(potential.slices(), potential(), strict=True):
        assert torch.equal(streamed, stacked)


@pytest.mark.parametrize("numbers", [(8,), (6, 1, 7, 16, 26), (14, 79)])
def test_solvated_atoms_displace_their_volumes_of_ice(numbers):
    occupancies = [1.0, 0.5, 2.0, 1.0, 0.3][: len(numbers)]
    n = len(numbers)
    positions = torch.linspace(-2, 2, n)[:, None].expand(n, 3)
    atoms = make_atoms(positions, numbers, 30.0, occupancies)
    volumes = [DISPLACED_VOLUME.get(z, OTHER_DISPLACED_VOLUME) for z in numbers]
    displaced = sum(v * o for v, o in zip(volumes, occupancies, strict=True))
    displaced *= ice_potential(ice_molecules_per_a3(0.93))
    whole, difference = (
        Potential(atoms, (32, 32), 0.8, 1, 9.0, solvated=solvated)().sum().item() * 0.8**2
        for solvated in (False, True)
    )
    assert whole - difference == pytest.approx(displaced, rel=1e-4)


def test_water_in_ice_is_nearly_invisible():
    # Three atoms of a molecule displace 19.4 of the 29.9 Å³ that a molecule of ice takes.
    water = make_atoms([[0.0, 0.0, 0.0]] * 3, [8, 1, 1], 30.0)
    seen, free = (
        Potential(water, (32, 32), 0.8, 1, 9.0, solvated=s)().sum().item() for s in (True, False)
    )
    assert 0 < seen / free < 0.4


def test_render_has_the_origin_at_the_centre_voxel_and_adds_up_to_the_projection():
    potential = Potential(ATOMS, (24, 26), 0.9, 1, 30.0)
    volume = potential.render((28, 24, 26), 0.9)
    assert volume.shape == (28, 24, 26)
    flat = potential()[0]
    assert (volume.sum(0) * 0.9 - flat).abs().max() < 2e-4 * flat.max()
    atom = Potential(make_atoms([[0.0, 0.0, 0.0]], [6]), (8, 8), 0.9, 1, 9.0)
    assert atom.render((9, 8, 10), 0.9).argmax() == (4 * 8 + 4) * 10 + 5


def test_learnable_atoms_are_parameters_and_the_others_are_not():
    names = ("positions", "b_factors", "occupancies")
    assert len(list(Potential(ATOMS, (8, 8), 1.0, 1, 9.0).parameters())) == 0
    potential = Potential(ATOMS, (16, 16), 0.8, 2, 4.0, learnable=names, interpolate_z=True)
    potential().pow(2).sum().backward()
    gradients = [p.grad for p in potential.parameters()]
    assert len(gradients) == 3
    assert all(g.isfinite().all() and g.abs().sum() > 0 for g in gradients)
    with pytest.raises(ValueError, match="cannot learn charge"):
        Potential(ATOMS, (8, 8), 1.0, 1, 9.0, learnable=("charge",))


def test_element_that_the_table_lacks_is_named():
    heavy = Atoms(torch.zeros(1, 3), torch.tensor([99]), torch.full((1,), 10.0), torch.ones(1))
    with pytest.raises(ValueError, match="peng table ends at Z = 98"):
        Potential(heavy, (8, 8), 1.0, 1, 9.0)()
    assert Potential(heavy, (8, 8), 1.0, 1, 9.0, table="lobato")().max() > 0


def test_peng_is_left_for_lobato_where_the_band_reaches_beyond_its_fit():
    # 1/(3 pixel) is 4.17 1/Å at 0.08 Å, 3.7 at 0.09.
    for pixel, limit, table in (
        (0.09, 2 / 3, "peng"),
        (0.08, 2 / 3, "lobato"),
        (0.1, 0.95, "lobato"),
    ):
        atom = make_atoms([[0.0, 0.0, 0.0]], [78], 0.3)
        options = {"band_limit": limit}
        default = Potential(atom, (64, 64), pixel, 1, 2.0, **options)
        assert default.table == table
        given = Potential(atom, (64, 64), pixel, 1, 2.0, table=table, **options)
        assert torch.equal(default(), given())
    assert Potential(atom, (64, 64), 0.05, 1, 2.0, table="peng").table == "peng"
