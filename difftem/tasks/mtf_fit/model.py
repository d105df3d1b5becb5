"""The spectrum model of a flat field, and its parameters as one vector."""

import copy
from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from difftem.modules.mtf import MTF
from difftem.modules.quantity import Positive, UnitInterval, register_quantity


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
        Is copied; later changes do not matter.
    """

    def __init__(self, module: nn.Module) -> None:
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.names: list[str] = []
        self._plain = copy.deepcopy(module)
        constraints: dict[str, nn.Module] = {}
        for prefix, part in list(self._plain.named_modules()):
            if parametrize.is_parametrized(part):
                for name in list(part.parametrizations):  # type: ignore[arg-type]
                    path = f"{prefix}.{name}" if prefix else name
                    constraints[path] = part.parametrizations[name][0]  # type: ignore[index]
                    parametrize.remove_parametrizations(part, name)
        self._shapes = {name: p.shape for name, p in self._plain.named_parameters()}
        for name, shape in self._shapes.items():
            constraint, n = constraints.get(name), shape.numel()
            bounded = isinstance(constraint, Positive | UnitInterval)
            self.lower += [0.0 if bounded else -torch.inf] * n
            self.upper += [1.0 if isinstance(constraint, UnitInterval) else torch.inf] * n
            short = name.removeprefix("mtf.")
            self.names += [f"{short}[{i}]" for i in range(n)] if len(shape) else [short]
        parts = [p.detach().flatten() for p in self._plain.parameters()]
        self.values = torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)

    def function(
        self, method: Callable[[nn.Module, Tensor], Tensor], frequency: Tensor
    ) -> Callable[[Tensor], Tensor]:
        """Make `method` (of a module and frequencies) a function of the vector."""
        wrapped = _Method(self._plain, method)

        def evaluate(vector: Tensor) -> Tensor:
            state, start = {}, 0
            for name, shape in self._shapes.items():
                n = shape.numel()
                state[f"module.{name}"] = vector[start : start + n].view(shape)
                start += n
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
