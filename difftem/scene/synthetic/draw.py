"""Random numbers by the distributions that recipes name."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class Draw:
    """Draws from one generator, in float64.

    Parameters
    ----------
    generator : torch.Generator
        Source of all randomness.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def uniform(self, low: float, high: float) -> float:
        """Evenly between two limits."""
        share = torch.rand((), generator=self.generator, dtype=torch.float64)
        return low + (high - low) * float(share)

    def log_uniform(self, low: float, high: float) -> float:
        """Evenly in the logarithm, between two positive limits."""
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def chance(self, share: float) -> bool:
        """Whether something happens that does in a share of all cases."""
        return self.uniform(0.0, 1.0) < share

    def integer(self, low: int, high: int) -> int:
        """Whole number from `low` to `high`, both possible."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def choice(self, options: Sequence[T]) -> T:
        """One of several, all alike."""
        return options[self.integer(0, len(options) - 1)]

    def weighted(self, options: Mapping[T, float]) -> T:
        """One of several, by their weights."""
        mark = self.uniform(0.0, sum(options.values()))
        for option, weight in options.items():
            mark -= weight
            if mark < 0 and weight > 0:
                return option
        return [option for option, weight in options.items() if weight > 0][-1]

    def numbers(self, *shape: int) -> Tensor:
        """Evenly between 0 and 1."""
        return torch.rand(*shape, generator=self.generator, dtype=torch.float64)

    def normal(self, *shape: int) -> Tensor:
        """Of mean 0 and variance 1."""
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)
