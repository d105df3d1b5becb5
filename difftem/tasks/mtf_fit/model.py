"""The spectrum model of a flat field, and its parameters as one vector."""

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn
from torch.func import functional_call

from difftem.modules.mtf import MTF
from difftem.modules.quantity import Positive, UnitInterval, register_quantity

_PARAMETRIZATIONS = "parametrizations."
_STORED = ".original"
_TINY = 1e-100  # its square still has an inverse
_ALMOST_ONE = 1 - 1e-15


class NoiseSpectrum(nn.Module):
    r"""Noise power of a flat field, :math:`S(\omega) = s_0 H(\omega)^2 + \sigma^2`, in float64.

    Parameters
    ----------
    mtf : MTF
        H; changed to float64 in place.
    s0 : float
        Noise power at zero frequency, grey values².
    read_variance : float
        σ², grey values².
    learnable : collection of str
        Any of ``s0``, ``read_variance``.
    """

    s0: Tensor
    read_variance: Tensor

    def __init__(
        self,
        mtf: MTF,
        s0: float = 1.0,
        read_variance: float = 0.0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.mtf = mtf
        for name, value in (("s0", s0), ("read_variance", read_variance)):
            register_quantity(self, name, value, learnable, Positive())
        self.double()

    def forward(
        self,
        frequency: Tensor,  # (...) cycles/pixel
    ) -> Tensor:  # (...) grey values²
        """Evaluate S; never zero, so that its logarithm is finite wherever a search goes."""
        floor = 1e-12 * self.s0.detach() + 1e-300
        return self.s0 * self.mtf(frequency) ** 2 + self.read_variance + floor


class PlainParameters:
    """Learnable quantities of a module as one vector in their own units, not as logarithms.

    At a bound (a weight of zero) the logarithm runs to minus infinity and carries no
    information; the weight itself does.

    Parameters
    ----------
    module : nn.Module
        Is not copied: use the functions before it changes.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._parts: list[tuple[str, torch.Size, nn.Module | None]] = []
        self.names: list[str] = []
        self.lower: list[float] = []
        self.upper: list[float] = []
        values = [torch.empty(0, dtype=torch.float64)]
        for path, parameter in module.named_parameters():
            constraint, name = None, path
            if path.endswith(_STORED):
                name = path.removesuffix(_STORED).replace(_PARAMETRIZATIONS, "")
                constraint = module.get_submodule(path.removesuffix(".original"))[0]  # type: ignore[index]  # a ParametrizationList
            prefix, _, last = name.rpartition(".")
            owner = module.get_submodule(prefix)
            value = getattr(owner, last).detach().flatten()
            n = len(value)
            self._parts.append((path, parameter.shape, constraint))
            bounded = isinstance(constraint, Positive | UnitInterval)
            self.lower += [0.0 if bounded else -torch.inf] * n
            self.upper += [1.0 if isinstance(constraint, UnitInterval) else torch.inf] * n
            short = name.removeprefix("mtf.")
            indexed = [f"{short}[{i}]" for i in range(n)]
            self.names += indexed if len(parameter.shape) else [short]
            values.append(value.double().cpu())
        self.values = torch.cat(values)

    def function(
        self, method: Callable[[nn.Module, Tensor], Tensor], frequency: Tensor
    ) -> Callable[[Tensor], Tensor]:
        """Make `method` (of a module and frequencies) a function of the vector."""
        wrapped = _Method(self._module, method)

        def evaluate(vector: Tensor) -> Tensor:
            state, start = {}, 0
            for path, shape, constraint in self._parts:
                value = vector[start : start + shape.numel()].view(shape)
                if constraint is not None:
                    top = _ALMOST_ONE if isinstance(constraint, UnitInterval) else None
                    value = constraint.right_inverse(value.clamp(_TINY, top))  # type: ignore[operator]  # see above
                state[f"module.{path}"] = value
                start += shape.numel()
            return functional_call(wrapped, state, (frequency,))

        return evaluate


class _Method(nn.Module):
    """Call a function of a module as that module's forward, for `functional_call`."""

    def __init__(self, module: nn.Module, method: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.module = module
        self.method = method

    def forward(self, frequency: Tensor) -> Tensor:
        return self.method(self.module, frequency)
