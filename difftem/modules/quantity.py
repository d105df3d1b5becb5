"""Physical quantities of a module: buffers, or parameters when they are to be learned."""

from collections.abc import Collection
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Positive(nn.Module):
    """Store the logarithm of a quantity, so that it stays positive whatever an optimiser does."""

    def forward(self, logarithm: Tensor) -> Tensor:
        """Quantity from its logarithm."""
        return torch.exp(logarithm)

    def right_inverse(self, quantity: Tensor) -> Tensor:
        """Logarithm of a positive quantity."""
        if not bool((quantity > 0).all()):
            raise ValueError(f"a learnable positive quantity must be > 0, got {quantity.tolist()}")
        return torch.log(quantity)


class UnitInterval(nn.Module):
    """Store the logit of a quantity between 0 and 1."""

    def forward(self, logit: Tensor) -> Tensor:
        """Quantity from its logit."""
        return torch.sigmoid(logit)

    def right_inverse(self, quantity: Tensor) -> Tensor:
        """Logit of a quantity strictly between 0 and 1."""
        if not bool(((quantity > 0) & (quantity < 1)).all()):
            raise ValueError(f"a learnable fraction must be in (0, 1), got {quantity.tolist()}")
        return torch.logit(quantity)


def register_quantity(
    module: nn.Module,
    name: str,
    value: float | Tensor,
    learnable: Collection[str] = (),
    constraint: nn.Module | None = None,
) -> None:
    """Give a module a quantity: a buffer, or a parameter if its name is among the learnable.

    Parameters
    ----------
    module : nn.Module
        Owner; reads the quantity as ``module.<name>`` either way.
    name : str
        With the unit as suffix where it is not Å, rad or eV.
    value : float or Tensor
        In that unit; a tensor's shape is a batch shape.
    learnable : collection of str
        Names that become parameters.
    constraint : nn.Module, optional
        `Positive` or `UnitInterval`: holds for a parameter by construction, for a fixed value
        it is checked here.

    Raises
    ------
    ValueError
        If the value is not finite or violates the constraint.
    """
    tensor = torch.as_tensor(value)
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} must be finite, got {tensor.tolist()}")
    if name in learnable:
        module.register_parameter(name, nn.Parameter(tensor.detach().clone()))
        if constraint is not None:
            try:
                parametrize.register_parametrization(module, name, constraint)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return
    if isinstance(constraint, Positive) and bool((tensor < 0).any()):
        raise ValueError(f"{name} must not be negative, got {tensor.tolist()}")
    if isinstance(constraint, UnitInterval) and bool(((tensor < 0) | (tensor > 1)).any()):
        raise ValueError(f"{name} must be between 0 and 1, got {tensor.tolist()}")
    module.register_buffer(name, tensor)


def is_active(module: nn.Module, name: str) -> bool:
    """Whether a quantity that switches a part on when it is not 0 is on, now or by learning."""
    value = quantity(module, name)
    return value.requires_grad or bool((value != 0).any())


def check_learnable(learnable: Collection[str], known: Collection[str]) -> None:
    """Refuse names that the module does not have.

    Raises
    ------
    ValueError
        Listing the names that exist.
    """
    unknown = sorted(set(learnable) - set(known))
    if unknown:
        raise ValueError(f"cannot learn {', '.join(unknown)}; quantities are {', '.join(known)}")


def quantity(module: nn.Module, name: str) -> Tensor:
    """Read a quantity as a tensor."""
    return cast(Tensor, getattr(module, name))
