import math

import pytest
import torch

from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.beam import interaction_constant
from difftem.functional.cross_section import total_cross_section
from difftem.functional.pose import rotation_from_vector
from difftem.functional.soft_potential import soft_potential
from tests.helpers.specimen import make_atoms, random_atoms, relative_rms

ENERGY = torch.tensor(200e3, dtype=torch.float64)
SIGMA = interaction_constant(ENERGY)
CENTER = torch.tensor([0.4, -0.3, 0.2], dtype=torch.float64)


def direct(atoms, voxel_size, shape, cut_exponent=None):
    """Plain sum of every atom's Gaussians at the voxel centres."""
    axes = [(torch.arange(n).double() - (n - 1) / 2) * voxel_size for n in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    grid = torch.stack([x, y, z], -1) + CENTER
    total = torch.zeros(shape, dtype=torch.complex128)
    table = scattering_table("peng").parameters
    for i, position in enumerate(atoms.positions):
        number, b = int(atoms.atomic_numbers[i]), float(atoms.b_factors[i])
        occupancy = float(atoms.occupancies[i])
        r2 = ((grid - position) ** 2).sum(-1)
        absorbed = total_cross_section(number, ENERGY).item() / (2 * SIGMA.item())
        terms = [(POTENTIAL_CONSTANT * a, w + b) for a, w in table[number].tolist()]
        for strength, width in [*terms, (1j * absorbed, 20 + b)]:
            width = max(width, 200 * voxel_size**2)
            exponent = 4 * math.pi**2 * r2 / width
            value = occupancy * strength * (4 * math.pi / width) ** 1.5 * torch.exp(-exponent)
            total += value if cut_exponent is None else value * (exponent <= cut_exponent)
    return total


def atoms_of(b_range, n=12, occupancy=0.7):
    atoms = random_atoms(n, (9.0, 8.0, 6.0), (1, 6, 7, 8, 15, 26), b_range)
    atoms.occupancies[: n // 2] = occupancy
    return atoms


@pytest.mark.parametrize(
    ("voxel_size", "b_range"),
    [(1.0, (5.0, 90.0)), (1.0, (100.0, 400.0)), (0.45, (10.0, 90.0)), (0.4, (30.0, 30.0))],
)
@pytest.mark.parametrize("shape", [(16, 18, 21), (7, 9, 8)])
def test_map_is_the_sum_of_gaussians_also_with_mixed_b_factors(voxel_size, b_range, shape):
    atoms = atoms_of(b_range)
    got = soft_potential(atoms, voxel_size, shape, CENTER, ENERGY)
    expected = direct(atoms, voxel_size, shape)
    assert relative_rms(got.real, expected.real) < 5e-5
    assert relative_rms(got.imag, expected.imag) < 5e-5
    real = soft_potential(atoms, voxel_size, shape, CENTER)
    assert not real.is_complex()
    assert relative_rms(real, expected.real) < 5e-5


def test_cut_gaussians_are_those_of_tem_simulator():
    atoms = atoms_of((5.0, 90.0))
    got = soft_potential(atoms, 1.0, (24, 24, 24), CENTER, ENERGY, cut_exponent=10.0)
    expected = direct(atoms, 1.0, (24, 24, 24), 10.0)
    assert relative_rms(got, expected) < 1e-4
    lost = 1 - float(got.imag.sum() / direct(atoms, 1.0, (40, 40, 40)).imag.sum())
    assert lost == pytest.approx(1.7e-4, rel=0.1)


def test_single_precision_is_enough_for_one_part_in_ten_thousand():
    atoms = atoms_of((5.0, 300.0)).to(dtype=torch.float32)
    got = soft_potential(atoms, 1.0, (16, 18, 21), CENTER.float(), ENERGY)
    assert got.dtype == torch.complex64
    expected = direct(atoms.to(dtype=torch.float64), 1.0, (16, 18, 21))
    assert relative_rms(got, expected) < 1e-4


def test_copies_are_the_copied_atoms_and_hydrogens_on_their_atom_are_merged():
    atoms = atoms_of((5.0, 90.0), n=6)
    atoms.positions[3:] = atoms.positions[:3].clone()
    vectors = torch.tensor([[0.0, 0, 0], [0.3, -1.0, 0.5], [2.0, 0.1, 0]], dtype=torch.float64)
    copies = (rotation_from_vector(vectors), vectors.flip(0))
    got = soft_potential(atoms, 1.0, (20, 18, 16), CENTER, ENERGY, copies)
    expected = direct(atoms.copies(*copies), 1.0, (20, 18, 16))
    assert relative_rms(got, expected) < 5e-5


def test_atoms_beyond_the_map_leave_only_their_tails():
    atoms = make_atoms([[11.0, 0, 0], [40.0, 0, 0], [0, -300.0, 0]], [8, 8, 8], 20.0)
    got = soft_potential(atoms, 1.0, (12, 14, 16), CENTER, ENERGY)
    expected = direct(atoms, 1.0, (12, 14, 16))
    assert (got - expected).abs().max() < 1e-4 * expected.abs().max()


def test_gradients_reach_positions_b_factors_and_occupancies():
    atoms = make_atoms([[0.3, 0.1, -0.2], [1.0, -0.7, 0.5]], [6, 8], [60.0, 90.0])
    inputs = [
        t.clone().requires_grad_() for t in (atoms.positions, atoms.b_factors, atoms.occupancies)
    ]
    weight = torch.linspace(0, 1, 5 * 6 * 4, dtype=torch.float64).view(5, 6, 4)

    def score(positions, b_factors, occupancies):
        moved = type(atoms)(positions, atoms.atomic_numbers, b_factors, occupancies)
        values = soft_potential(moved, 0.5, (5, 6, 4), CENTER, ENERGY)
        return (weight * (values.real + 3 * values.imag)).sum()

    torch.autograd.gradcheck(score, inputs, eps=1e-4, atol=1e-4, rtol=1e-4)
