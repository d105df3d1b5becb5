import pytest
import torch

from difftem.functional import patches as plain
from difftem.functional.pose import random_rotations
from difftem.functional.projection import template_spectrum
from difftem.functional.slabs import Slabs
from difftem.functional.slice_grid import slice_grid
from difftem.modules.project_particles import project_particles
from kernels_triton.patches import add_patches_bwd, add_patches_fwd
from tests.helpers.closeness import assert_as_exact

# Of tiles of 32 rows and 64 floats: inside one, on a border, across corners, partly and wholly
# outside the field, twice at the same place.
CORNERS = [
    (3, 5), (32, 20), (64, 32), (57, 28), (25, 30), (-4, -6), (66, -3), (-2, 69), (65, 70),
    (75, 10), (10, 80), (-9, 4), (4, -7), (-1000, 5), (10**12, -(10**12)), (57, 28),
]  # fmt: skip


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("size", [(7, 9), (1, 1), (70, 40)])
def test_patches_are_summed_and_their_gradient_gathered_as_plainly(
    kernels, poisoned_empty, size, is_complex
):
    device, dtype, _ = kernels
    kind = dtype.to_complex() if is_complex else dtype
    corners = torch.tensor(CORNERS, device=device)
    field = torch.randn(71, 75, dtype=kind, device=device)
    patches = torch.randn(len(CORNERS), *size, dtype=kind, device=device)
    leaves = [field.clone().requires_grad_(), patches.clone().requires_grad_()]
    expected = plain.add_patches(leaves[0] * 1, leaves[1], corners)
    grad = torch.randn_like(field)
    _, truth = torch.autograd.grad(expected, leaves, grad)
    add_patches_fwd(field, patches, corners)
    # Nothing is rounded another way: the same sums in the same order.
    assert torch.equal(field, expected)
    assert torch.equal(add_patches_bwd(grad, corners, *size), truth)
    assert truth.any()


def test_no_patches_and_patches_outside_change_nothing(kernels):
    device, dtype, _ = kernels
    field = torch.randn(33, 65, dtype=dtype, device=device)
    before = field.clone()
    for corners in (torch.zeros(0, 2, dtype=torch.long), torch.tensor([[65, 0], [-3, 2], [0, 33]])):
        corners = corners.to(device)
        add_patches_fwd(field, torch.ones(len(corners), 3, 3, dtype=dtype, device=device), corners)
        assert torch.equal(field, before)
        gathered = add_patches_bwd(before, corners, 3, 3)
        assert gathered.shape == (len(corners), 3, 3)
        assert not gathered.any()


def test_patches_and_gradients_may_be_views(kernels):
    device, dtype, _ = kernels
    patches = torch.randn(7, 5, 6, dtype=dtype.to_complex(), device=device).mT.conj()
    corners = torch.tensor([[1, 8], [2, 9]], device=device).expand(7, 2, 2).mT[:, 0]
    field = torch.zeros(11, 13, dtype=patches.dtype, device=device)
    expected = plain.add_patches(field.clone(), patches, corners)
    add_patches_fwd(field, patches, corners)
    assert torch.equal(field, expected)
    ones = torch.ones((), dtype=dtype, device=device).expand(11, 13)
    assert add_patches_bwd(ones, corners, 5, 6).sum() == 7 * 30


@pytest.mark.parametrize("thickness", [None, 20.0])
@pytest.mark.parametrize("graded", [True, False])
def test_slice_of_projected_particles_and_its_gradients_are_those_of_pytorch(
    kernels, monkeypatch, generator, thickness, graded
):
    device, dtype, tolerance = kernels
    for name in ("CHUNK_POINTS", "GPU_CHUNK_POINTS"):  # two copies at a time
        monkeypatch.setattr(
            f"difftem.modules.project_particles.{name}", 250 if thickness is None else 1250
        )
    volume = torch.randn(8, 8, 8, generator=generator, dtype=torch.float64)
    positions = 12 * torch.randn(3, 3, generator=generator, dtype=torch.float64)
    inputs = (positions, random_rotations(3, generator), volume)
    weights = torch.randn(30, 36, generator=generator, dtype=torch.complex128)
    results = []
    for mode, kind in (("triton", dtype), ("torch", dtype), ("torch", torch.float64)):
        monkeypatch.setenv("DIFFTEM_KERNELS", mode)
        leaves = [each.to(device, kind).requires_grad_(graded) for each in inputs]
        slabs = Slabs(torch.tensor(0.02, dtype=kind, device=device), "slice", thickness, 8.0)
        grid = slice_grid(16, 2.0, 0.17, 0.02, device=device, dtype=kind)
        field = torch.ones(30, 36, dtype=kind.to_complex(), device=device)
        with torch.set_grad_enabled(graded):
            spectrum = template_spectrum(leaves[2], 2.0, 0.24)
            names = list(range(3))
            found = project_particles(field, spectrum, *leaves[:2], grid, slabs, {}, names)
            results.append([found.detach()])
        if graded:
            loss = (found * weights.to(found)).real.sum()
            results[-1] += torch.autograd.grad(loss, leaves)
    assert len(results[0]) == (4 if graded else 1)
    assert_as_exact(*results, tolerance)
