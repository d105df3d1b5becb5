import math

import pytest
import torch

from difftem.atoms import Atoms, concatenate


def water(dtype=torch.float64):
    positions = torch.tensor([[1.0, 2.0, 3.0], [1.96, 2.0, 3.0], [0.76, 2.93, 3.0]], dtype=dtype)
    return Atoms(
        positions,
        torch.tensor([8, 1, 1]),
        torch.tensor([10.0, 20.0, 30.0], dtype=dtype),
        torch.tensor([1.0, 0.5, 0.5], dtype=dtype),
    )


def about_z(angle):
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)


def test_length_bounds_and_extent_are_those_of_the_positions():
    atoms = water()
    low, high = atoms.bounds()
    assert len(atoms) == 3
    assert low.tolist() == [0.76, 2.0, 3.0]
    assert high.tolist() == [1.96, 2.93, 3.0]
    torch.testing.assert_close(atoms.extent(), torch.tensor([1.2, 0.93, 0.0]).double())


def test_centered_puts_the_middle_of_the_box_at_the_origin():
    low, high = water().centered().bounds()
    torch.testing.assert_close(low, -high)
    torch.testing.assert_close(high, torch.tensor([0.6, 0.465, 0.0]).double())


def test_quarter_turn_about_z_takes_x_to_y():
    turned = water().rotated(about_z(math.pi / 2))
    torch.testing.assert_close(
        turned.positions[0], torch.tensor([-2.0, 1.0, 3.0], dtype=torch.float64)
    )


def test_batch_of_rotations_and_shifts_is_broadcast():
    matrices = torch.stack([about_z(0.0), about_z(math.pi)])
    atoms = water().rotated(matrices).translated(torch.tensor([[0.0, 0, 0], [5, 0, 0]]))
    assert atoms.positions.shape == (2, 3, 3)
    assert atoms.positions[1, 0].tolist() == pytest.approx([4.0, -2.0, 3.0])
    assert atoms.extent().shape == (2, 3)


def test_copies_are_one_set_of_atoms_copy_by_copy():
    rotations = torch.stack([about_z(0.0), about_z(math.pi / 2)])
    shifts = torch.tensor([[0.0, 0, 0], [0, 0, 10]], dtype=torch.float64)
    both = water().copies(rotations, shifts)
    assert len(both) == 6
    assert both.atomic_numbers.tolist() == [8, 1, 1, 8, 1, 1]
    assert both.b_factors.tolist() == [10, 20, 30] * 2
    torch.testing.assert_close(both.positions[:3], water().positions)
    assert both.positions[3].tolist() == pytest.approx([-2.0, 1.0, 13.0])


def test_gradients_flow_through_every_method():
    positions = water().positions.requires_grad_()
    rotations = about_z(0.3).expand(2, 3, 3).clone().requires_grad_()
    shifts = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)

    def move(positions, rotations, shifts):
        atoms = Atoms(positions, water().atomic_numbers, water().b_factors, water().occupancies)
        atoms = atoms.rotated(rotations[0]).translated(shifts[0])
        return atoms.copies(rotations, shifts).select(torch.tensor([0, 4])).to("cpu").positions

    assert torch.autograd.gradcheck(move, (positions, rotations, shifts))


def test_select_takes_a_mask_or_indices():
    atoms = water()
    hydrogens = atoms.select(atoms.atomic_numbers == 1)
    assert hydrogens.b_factors.tolist() == [20, 30]
    assert atoms.select(torch.tensor([2])).positions.tolist() == [[0.76, 2.93, 3.0]]


def test_to_casts_reals_and_leaves_integers():
    single = water().to(dtype=torch.float32)
    assert single.positions.dtype == single.occupancies.dtype == torch.float32
    assert single.atomic_numbers.dtype == torch.int64
    assert water().to("cpu").positions.dtype == torch.float64


def test_concatenate_keeps_the_order():
    joined = concatenate([water(), water().translated(torch.ones(3))])
    assert len(joined) == 6
    assert joined.positions[3].tolist() == [2.0, 3.0, 4.0]
    with pytest.raises(ValueError, match="no atoms"):
        concatenate([])


@pytest.mark.parametrize(
    ("name", "atom", "value", "message"),
    [
        ("positions", 1, math.nan, "position must be finite, got .* at atom 1"),
        ("positions", 2, math.inf, "position must be finite, got .* at atom 2"),
        ("atomic_numbers", 0, 0, "atomic number must be 1 to 103, got 0 at atom 0"),
        ("atomic_numbers", 2, 104, "atomic number must be 1 to 103, got 104 at atom 2"),
        ("b_factors", 1, -1.0, "B-factor must be .*, got -1.0 at atom 1"),
        ("occupancies", 1, 0.0, "occupancy must be .*, got 0.0 at atom 1"),
        ("occupancies", 0, math.nan, "occupancy must be .*, got nan at atom 0"),
    ],
)
def test_impossible_value_is_named_with_its_atom(name, atom, value, message):
    tensors = {
        key: getattr(water(), key).clone()
        for key in ("positions", "atomic_numbers", "b_factors", "occupancies")
    }
    tensors[name][atom] = value
    with pytest.raises(ValueError, match=message):
        Atoms(**tensors)


def test_wrong_shapes_types_and_nothing_at_all_are_refused():
    atoms = water()
    with pytest.raises(ValueError, match=r"b_factors must have shape \(3,\) as positions, got"):
        Atoms(atoms.positions, atoms.atomic_numbers, torch.zeros(2), atoms.occupancies)
    with pytest.raises(ValueError, match=r"\(..., n_atoms, 3\), got \(3, 2\)"):
        Atoms(atoms.positions[:, :2], atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)
    with pytest.raises(ValueError, match="must be int64, got"):
        Atoms(atoms.positions, atoms.b_factors, atoms.b_factors, atoms.occupancies)
    with pytest.raises(ValueError, match=r"^no atoms$"):
        atoms.select(atoms.atomic_numbers == 79)
    with pytest.raises(ValueError, match=r"\(n, 3, 3\) and \(n, 3\), got"):
        atoms.copies(about_z(0.0), torch.zeros(3))
