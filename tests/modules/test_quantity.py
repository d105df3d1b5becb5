import pytest
import torch
from torch import nn

from difftem.modules.quantity import Positive, UnitInterval, check_learnable, register_quantity


def test_fixed_quantity_is_a_buffer_and_a_learnable_one_a_parameter():
    module = nn.Module()
    register_quantity(module, "fixed", 2.0)
    register_quantity(module, "free", 3.0, ("free",))
    assert [name for name, _ in module.named_buffers()] == ["fixed"]
    assert [name for name, _ in module.named_parameters()] == ["free"]
    assert module.free.item() == 3.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_constrained_quantity_reads_as_it_was_given(dtype):
    module = nn.Module()
    value = torch.tensor([1e-6, 0.3, 0.999], dtype=dtype)
    register_quantity(module, "positive", value, ("positive",), Positive())
    register_quantity(module, "fraction", value, ("fraction",), UnitInterval())
    tolerance = 20 * torch.finfo(dtype).eps
    torch.testing.assert_close(module.positive.detach(), value, rtol=tolerance, atol=0)
    torch.testing.assert_close(module.fraction.detach(), value, rtol=20 * tolerance, atol=0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 7 * torch.randn(3, dtype=dtype)
    assert (module.positive > 0).all()
    assert ((module.fraction >= 0) & (module.fraction <= 1)).all()


def test_integers_become_real_numbers():
    module = nn.Module()
    register_quantity(module, "n", 3)
    assert module.n.dtype == torch.get_default_dtype()


def test_values_that_cannot_be_are_refused():
    module = nn.Module()
    with pytest.raises(ValueError, match="x must be finite"):
        register_quantity(module, "x", float("inf"))
    with pytest.raises(ValueError, match="positive quantity must be > 0"):
        register_quantity(module, "y", 0.0, ("y",), Positive())
    with pytest.raises(ValueError, match="cannot learn z; quantities are a, b"):
        check_learnable(("z", "a"), ("a", "b"))
