import pytest
import torch

from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.render import (
    gaussian_projection,
    render_potential,
)
from difftem.functional.species import species_basis
from tests.helpers.oracles import gaussian_potential
from tests.helpers.specimen import project, random_atoms

VOXEL = 0.8


def render(atoms, shape, band=2 / 3):
    basis = species_basis(
        atoms.atomic_numbers,
        atoms.b_factors,
        atoms.occupancies,
        band / 2 / VOXEL,
        scattering_table("peng"),
    )
    return render_potential(atoms.positions, basis, shape, VOXEL, band)


def test_gaussian_potential_integrates_to_the_gaussian_projection():
    atoms = random_atoms(6, (4.0, 4.0, 4.0), (1, 8, 26), (10.0, 30.0))
    z = torch.linspace(-25, 25, 1001, dtype=torch.float64)
    at = torch.tensor([0.7, -0.4], dtype=torch.float64)
    points = torch.stack([at[0].expand(1001), at[1].expand(1001), z], -1)
    fields = (atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)
    along = gaussian_potential(atoms.positions, *fields, points)
    direct = gaussian_projection(atoms.positions, *fields, at[:1], at[1:])
    assert torch.trapezoid(along, z).item() == pytest.approx(direct.item(), rel=1e-6)


def test_single_atom_at_rest_of_the_oracle_has_its_analytic_integral():
    atoms = random_atoms(1, (0.1, 0.1, 0.1), (8,), (30.0, 30.0))
    axis = torch.linspace(-9, 9, 61, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis, axis)
    fields = (atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)
    total = gaussian_potential(atoms.positions, *fields, points).sum() * (axis[1] - axis[0]) ** 3
    f0 = scattering_table("peng").parameters[8, :, 0].sum()
    assert total.item() == pytest.approx((POTENTIAL_CONSTANT * f0).item(), rel=1e-6)


@pytest.mark.parametrize("band", [0.5, 2 / 3, 0.9])
def test_rendered_potential_is_the_sum_of_the_atoms_gaussians(band):
    shape = (25, 24, 30)
    b = 4 * 14.0 / (band / 2 / VOXEL) ** 2
    atoms = random_atoms(12, (9.0, 5.0, 6.0), (1, 6, 8, 26), (b, 1.5 * b), seed=6)
    volume = render(atoms, shape, band)
    assert volume.shape == shape
    z, y, x = ((torch.arange(n) - n // 2) * VOXEL for n in shape)
    # On 400 voxels, with the atoms' images around the periodic box.
    generator = torch.Generator().manual_seed(0)
    pick = torch.randint(volume.numel(), (400,), generator=generator)
    iz, iy, ix = torch.unravel_index(pick, shape)
    points = torch.stack([x[ix], y[iy], z[iz]], -1).double()
    box = torch.tensor(list(reversed(shape))) * VOXEL
    images = torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0])] * 3).double() * box
    expected = sum(
        gaussian_potential(
            atoms.positions + image,
            atoms.atomic_numbers,
            atoms.b_factors,
            atoms.occupancies,
            points,
        )
        for image in images
    )
    assert (volume.flatten()[pick] - expected).abs().max() < 1e-4 * volume.max()


def test_sum_over_z_of_the_rendered_potential_is_the_projection():
    shape = (31, 24, 27)
    atoms = random_atoms(30, (16.0, 15.0, 18.0), (1, 6, 7, 8, 16), (20.0, 80.0), seed=7)
    column = render(atoms, shape).sum(0) * VOXEL
    flat = project(atoms, shape[1:], VOXEL)[0]
    assert (column - flat).abs().max() < 2e-4 * flat.max()


def test_many_atoms_are_rendered_in_chunks(monkeypatch):
    atoms = random_atoms(20, (6.0, 6.0, 6.0), (6,), (40.0, 40.0))
    whole = render(atoms, (12, 12, 12))
    monkeypatch.setattr("difftem.functional.spread.CHUNK_POINTS", 3 * 6**3)
    assert (render(atoms, (12, 12, 12)) - whole).abs().max() < 1e-12
