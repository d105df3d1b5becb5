import pytest
import torch

from difftem.functional.spread import kernel_coefficients
from difftem.modules import Potential
from kernels_triton.tiles import cut, tile_lists
from tests.helpers.closeness import assert_agree
from tests.helpers.specimen import random_atoms

OPS = torch.ops.difftem
FIELD, BAND = (18, 21), 2 / 3


@pytest.fixture
def inputs(monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("tested with tensors of a CPU: in the interpreter")
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")
    xy = torch.tensor([[3.3, 17.9], [-1.2, 5.1], [20.4, 8.8]], dtype=torch.float64)
    coefficients = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    table = kernel_coefficients(BAND).contiguous()
    order, starts = tile_lists(xy, [3], cut(*FIELD), table.shape[1])
    return [xy.requires_grad_(), coefficients, order, starts, table, *FIELD]


def test_spread_deltas_has_the_gradient_of_finite_differences(inputs):
    xy, coefficients, *rest = inputs
    weight = torch.randn(2, *FIELD, dtype=torch.float64)

    def weighted(xy, coefficients):
        return (OPS.spread_deltas(xy, coefficients, *rest) * weight).sum((1, 2))

    assert torch.autograd.gradcheck(weighted, (xy, coefficients), fast_mode=True)


def test_spread_deltas_is_a_lawful_op_and_so_is_its_backward(inputs):
    torch.library.opcheck(OPS.spread_deltas.default, inputs)
    xy, coefficients, _, _, table, *_ = inputs
    grad = torch.randn(2, *FIELD, dtype=torch.float64)
    atoms = xy.detach(), coefficients.detach()
    torch.library.opcheck(OPS.spread_deltas_backward.default, (grad, *atoms, table))


def test_potential_is_the_same_with_kernels_and_so_are_all_its_gradients(kernels, monkeypatch):
    device, dtype, tolerance = kernels
    atoms = random_atoms(20, (14.0, 12.0, 9.0), (1, 6, 8, 26), (20.0, 40.0))
    learned = ("positions", "b_factors", "occupancies")
    results = []
    for mode in ("triton", "torch"):
        monkeypatch.setenv("DIFFTEM_KERNELS", mode)
        one = Potential(atoms, (33, 35), 0.5, 3, 3.0, interpolate_z=True, learnable=learned)
        one = one.to(device, dtype)
        slices = one()
        weight = torch.linspace(-1, 1, slices.numel(), dtype=dtype, device=device)
        loss = (slices * weight.reshape(slices.shape)).square().sum()
        results.append((slices.detach(), *torch.autograd.grad(loss, list(one.parameters()))))
    assert len(results[0]) == 4
    assert_agree(*results, 5 * tolerance)
