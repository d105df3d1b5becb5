import math

import pytest
import torch

from difftem.functional.displaced_ice import displaced_basis, displaced_share


def test_an_atom_displaces_its_volume_times_its_occupancy():
    volumes = torch.zeros(17, dtype=torch.float64)
    volumes[[1, 6, 8, 16]] = torch.tensor([5.15, 16.44, 9.13, 19.86], dtype=torch.float64)
    numbers = torch.tensor([6, 8, 1, 16, 6])
    occupancies = torch.tensor([1.0, 0.5, 1.0, 1.0, 0.25], dtype=torch.float64)
    basis = displaced_basis(numbers, occupancies, 0.7, volumes)
    spheres = basis.coefficients @ basis.radial
    torch.testing.assert_close(spheres[:, 0], volumes[numbers] * occupancies, rtol=2e-3, atol=0.02)
    # A Gaussian sphere of volume v has the transform v exp(-π v^(2/3) q²).
    at = int(0.2 / float(basis.frequency[1]))
    q = float(basis.frequency[at])
    expected = 16.44 * math.exp(-math.pi * 16.44 ** (2 / 3) * q**2)
    assert float(spheres[0, at]) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("complex_", [False, True])
def test_a_shell_displaces_itself_and_not_its_hollow(complex_):
    voxel_size, outer, inner = 2.0, 36.0, 18.0
    axis = (torch.arange(48) - 24) * voxel_size
    r = torch.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
    generator = torch.Generator().manual_seed(0)
    grain = 1 + 0.5 * torch.randn(48, 48, 48, generator=generator)  # atoms
    volume = 2.0 * grain * ((r < outer) & (r > inner))
    share = displaced_share(volume * (1 + 0.1j) if complex_ else volume, voxel_size)
    assert not share.is_complex()
    assert 0 <= float(share.min()) and float(share.max()) == 1
    assert float(share[r < 12].max()) == 0 == float(share[r > 44].max())
    expected = 4 / 3 * math.pi * (outer**3 - inner**3)
    assert float(share.sum()) * voxel_size**3 == pytest.approx(expected, rel=0.05)


def test_nothing_displaces_nothing():
    assert float(displaced_share(torch.zeros(4, 5, 6), 1.0).sum()) == 0
