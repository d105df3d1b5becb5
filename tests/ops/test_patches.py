import pytest
import torch

from difftem.functional import patches as plain
from difftem.ops.patches import add_patches

OPS = torch.ops.difftem


@pytest.fixture
def interpreted(monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("tested with tensors of a CPU: in the interpreter")
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")


def inputs(dtype=torch.complex128):
    field, patches = torch.randn(5, 6, dtype=dtype), torch.randn(3, 3, 2, dtype=dtype)
    return field, patches, torch.tensor([[0, 0], [1, 1], [5, -1]])


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_sum_of_patches_has_the_gradient_of_finite_differences(interpreted, dtype):
    field, patches, corners = inputs(dtype)

    def place(field, patches):
        return add_patches(field * 1.0, patches, corners)

    assert torch.autograd.gradcheck(place, (field.requires_grad_(), patches.requires_grad_()))


def test_sum_is_a_lawful_op_and_so_is_its_backward(interpreted):
    field, patches, corners = inputs()
    torch.library.opcheck(OPS.add_patches.default, (field, patches, corners))
    torch.library.opcheck(OPS.gather_patches.default, (field, corners, 3, 2))


def test_field_changes_in_place_and_may_be_added_to_again(interpreted):
    field, patches, corners = inputs()
    patches.requires_grad_()
    truth = plain.add_patches(field.clone(), patches, corners)
    truth = plain.add_patches(truth, patches.flip(0), corners)
    version = field._version
    once = add_patches(field, patches, corners)
    assert once is field
    assert field._version > version
    twice = add_patches(once, patches.flip(0), corners)
    assert twice is field
    assert torch.equal(twice, truth)
    weights = torch.randn_like(field.detach())
    found, expected = (
        torch.autograd.grad((each * weights).real.sum(), patches)[0] for each in (twice, truth)
    )
    assert torch.equal(found, expected)


def test_field_that_is_needed_for_a_gradient_may_not_be_changed(interpreted):
    field, patches, corners = inputs()
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    scaled = field * scale
    squared = scaled.abs().square().sum()
    add_patches(scaled, patches, corners)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        squared.backward()


def test_field_alone_gets_the_gradient_without_any_gathering(interpreted, monkeypatch):
    field, patches, corners = inputs()
    monkeypatch.setattr("difftem.ops.patches._gather_patches", pytest.fail)
    summed = add_patches(field.requires_grad_() * 1, patches, corners)
    (grad,) = torch.autograd.grad(summed.real.sum(), field)
    assert torch.equal(grad, torch.ones_like(field))


@pytest.mark.parametrize("mode", ["auto", "torch", "triton"])
def test_what_no_kernel_serves_is_left_to_pytorch(monkeypatch, mode):
    monkeypatch.setenv("DIFFTEM_KERNELS", mode)
    field, patches, corners = inputs(torch.float32)
    if mode == "triton":
        monkeypatch.setenv("TRITON_INTERPRET", "1")
        field = torch.randn(6, 5).T  # columns in memory
    monkeypatch.setattr("difftem.ops.patches._add_patches", pytest.fail)
    expected = plain.add_patches(field.clone(), patches, corners)
    assert add_patches(field, patches, corners) is field
    assert torch.equal(field, expected)
