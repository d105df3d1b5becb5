"""Small specimens and measures that several tests share."""

import torch

from difftem.atoms import Atoms
from difftem.constants.scattering import scattering_table
from difftem.functional.atom_slices import AtomSlices
from difftem.functional.potential import basis_filter, slice_atoms
from difftem.functional.species import species_basis


def make_atoms(positions, numbers, b_factors=20.0, occupancies=1.0):
    positions = torch.as_tensor(positions, dtype=torch.float64)
    numbers = torch.as_tensor(numbers, dtype=torch.int64)
    n = len(numbers)
    b_factors = torch.as_tensor(b_factors, dtype=torch.float64).expand(n).clone()
    occupancies = torch.as_tensor(occupancies, dtype=torch.float64).expand(n).clone()
    return Atoms(positions, numbers, b_factors, occupancies)


def random_atoms(n, box, elements=(6,), b_range=(20.0, 20.0), seed=0):
    """Draw atoms uniformly in a box (x, y, z in Å) about the origin."""
    generator = torch.Generator().manual_seed(seed)
    unit = torch.rand(n, 3, generator=generator, dtype=torch.float64) - 0.5
    numbers = torch.tensor(elements)[torch.randint(len(elements), (n,), generator=generator)]
    b = torch.rand(n, generator=generator, dtype=torch.float64)
    b = b_range[0] + (b_range[1] - b_range[0]) * b
    return make_atoms(unit * torch.tensor(box, dtype=torch.float64), numbers, b)


def project(
    atoms,
    shape,
    pixel_size,
    *,
    n_slices=1,
    slice_thickness=1000.0,
    band_limit=2 / 3,
    taper=0.01,
    table="peng",
    linear=False,
    periodic=True,
    tolerance=2e-5,
):
    """Stack the potential slices of the functional stages, (n_slices, y, x) in V Å."""
    basis = species_basis(
        atoms.atomic_numbers,
        atoms.b_factors,
        atoms.occupancies,
        band_limit / 2 / pixel_size,
        scattering_table(table),
        tolerance=tolerance,
    )
    sliced = slice_atoms(
        atoms.positions,
        basis.coefficients.to(atoms.positions),
        shape,
        pixel_size,
        n_slices,
        slice_thickness,
        linear=linear,
        periodic=periodic,
    )
    filters = basis_filter(
        basis.radial,
        basis.frequency,
        shape,
        pixel_size,
        band_limit,
        taper,
        atoms.positions.dtype,
    )
    return torch.stack(list(AtomSlices([sliced], filters, shape, band_limit)))


def pixel_axes(shape, pixel_size, dtype=torch.float64):
    """Coordinates of pixel centres, (y,) and (x,), the origin at pixel n // 2."""
    return tuple((torch.arange(n, dtype=dtype) - n // 2) * pixel_size for n in shape)


def relative_rms(got, expected):
    """Root mean square of the difference over that of the expected values."""
    difference = (got - expected).abs().double().pow(2).mean().sqrt()
    return float(difference / expected.abs().double().pow(2).mean().sqrt())


def quantities(**values):
    """Turn floats into double precision tensors: modules keep the type of what they are given."""
    return {
        name: torch.tensor(value, dtype=torch.float64) if isinstance(value, float) else value
        for name, value in values.items()
    }
