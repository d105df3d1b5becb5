import pytest
import torch

from difftem.functional.atom_slices import AtomSlices
from difftem.functional.potential import SlicedAtoms, slice_atoms
from difftem.functional.spread import kernel_coefficients, spread_deltas
from kernels_triton.spread import spread_bwd, spread_fwd
from kernels_triton.tiles import cut, tile_lists
from tests.helpers.closeness import assert_agree


def spread_both_ways(xy, coefficients, shape, band):
    """Layers, gradient of coordinates and of coefficients: functional, and by the kernels."""
    leaf, each = xy.clone().requires_grad_(), coefficients.clone().requires_grad_()
    expected = spread_deltas(leaf, each, shape, band)
    grad = torch.randn_like(expected)
    truth = torch.autograd.grad(expected, (leaf, each), grad)
    table = kernel_coefficients(band).to(xy)
    found = spread_tiles(xy, coefficients, shape, table)
    gradients = spread_bwd(grad, xy, coefficients, table)
    return (found, *gradients), (expected.detach(), *truth)


def spread_tiles(xy, coefficients, shape, table):
    """Layers by the kernel."""
    order, starts = tile_lists(xy, [len(xy)], cut(*shape), table.shape[1])
    return spread_fwd(xy, coefficients, order, starts, table, *shape)


@pytest.mark.parametrize("band", [0.3, 2 / 3, 0.9])
@pytest.mark.parametrize(("shape", "n_basis"), [((37, 53), 1), ((48, 33), 9)])
def test_atoms_outside_and_on_borders_are_spread_and_gathered(
    kernels, poisoned_empty, band, shape, n_basis
):
    device, dtype, tolerance = kernels
    ny, nx = shape
    scattered = (torch.rand(8, 2, dtype=dtype) - 0.2) * torch.tensor([nx, ny]) * 1.5
    # On pixels, between them, on the borders of field and tiles, and just beside them.
    edges = torch.tensor(
        [[0, 0], [-0.5, ny - 0.5], [nx, ny], [nx - 1, -1], [15.5, 16], [-2.5 * nx, 3 * ny + 0.25]],
        dtype=dtype,
    )
    xy = torch.cat([scattered, edges, edges.nextafter(edges + 1), edges.nextafter(edges - 1)])
    coefficients = torch.randn(len(xy), n_basis, dtype=dtype)
    found, expected = spread_both_ways(xy.to(device), coefficients.to(device), shape, band)
    assert_agree(found, expected, tolerance)


def test_crowd_in_one_tile_is_summed_in_the_same_order_each_time(kernels):
    device, dtype, tolerance = kernels
    xy = 20 + 3 * torch.rand(40, 2, dtype=dtype, device=device)
    coefficients = torch.randn(40, 3, dtype=dtype, device=device)
    found, expected = spread_both_ways(xy, coefficients, (33, 40), 2 / 3)
    again = spread_tiles(xy, coefficients, (33, 40), kernel_coefficients(2 / 3).to(xy))
    assert_agree(found, expected, tolerance)
    assert torch.equal(found[0], again)


@pytest.mark.parametrize("batch", [(), (2,), (1, 2)])
def test_slices_from_tiles_are_those_of_the_plain_functions(kernels, poisoned_empty, batch):
    from difftem.ops.potential import TiledAtomSlices, atom_slices

    device, dtype, tolerance = kernels
    shape, count = (21, 34), torch.Size(batch).numel()
    members = []
    for _ in range(count):
        positions = (torch.rand(12, 3, dtype=dtype, device=device) - 0.5) * 40
        coefficients = torch.randn(12, 3, dtype=dtype, device=device)
        members.append(slice_atoms(positions, coefficients, shape, 1.0, 3, 4.0, linear=True))
    # A slice without atoms:
    counts = [[each.counts[0], 0, sum(each.counts[1:])] for each in members]
    members = [each._replace(counts=c) for each, c in zip(members, counts, strict=True)]
    filters = torch.rand(3, 21, 18, dtype=dtype, device=device)
    tiled = atom_slices(members, filters, shape, 2 / 3, batch)
    plain = AtomSlices(members, filters, shape, 2 / 3, batch)
    assert type(tiled) is TiledAtomSlices
    results = []
    for source in (tiled, plain):
        gradients = source.empty_gradients(source.tensors)
        slices = []
        for index in range(3):
            slices.append(source.value(source.tensors, index))
            grad = torch.linspace(-1, 1, slices[-1].numel(), dtype=dtype, device=device)
            source.vjp(source.tensors, index, grad.reshape(slices[-1].shape), gradients)
        results.append((torch.stack(slices), *gradients))
    assert results[0][0].shape == (3, *batch, *shape)
    assert results[0][0][1].abs().max() == 0
    assert_agree(*results, tolerance)


def test_grid_that_is_too_small_for_tiles_stays_with_pytorch(kernels):
    from difftem.ops.potential import atom_slices

    device, dtype, _ = kernels
    xy = torch.rand(4, 2, dtype=dtype, device=device)
    atoms = SlicedAtoms(xy, torch.ones_like(xy[:, :1]), [4])
    filters = torch.rand(1, 5, 3, dtype=dtype, device=device)
    assert type(atom_slices([atoms], filters, (5, 5), 2 / 3)) is AtomSlices
