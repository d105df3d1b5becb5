"""Exposures in two parts with independent noise: what a method sees, and what it is judged by."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.count_split import split_exposure

# (exposures (n, y, x) whitened, electrons per pixel, generator) -> (y, x) in units of one exposure
Method = Callable[[Tensor, float, torch.Generator | None], Tensor]


class ExposurePart(NamedTuple):
    """Whitened exposures that share their signal with others.

    Attributes
    ----------
    exposures : Tensor
        Noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Per pixel in each.
    signal : float
        Of each, in units of the signal of an exposure that was not split: the square root of its
        fraction of the electrons.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.exposure_parts import ExposurePart
    >>> part = ExposurePart(torch.ones(4, 2, 2), electrons=20.0, signal=1.0)
    >>> image, signal = part.summed()  # noise of variance 1, like each exposure
    >>> image[0, 0].item(), signal
    (2.0, 2.0)
    >>> part.estimate(lambda exposures, electrons, generator: exposures.mean(0))[0, 0].item()
    1.0
    """

    exposures: Tensor
    electrons: float
    signal: float

    def estimate(
        self,
        method: Method,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (y, x)
        """Run a method on it; in whitened values of an exposure that was not split."""
        return method(self.exposures, self.electrons, generator) / self.signal

    def summed(self) -> tuple[Tensor, float]:  # (y, x) and its signal
        """Sum of the exposures with noise of variance 1, and the signal in it."""
        n = len(self.exposures)
        return self.exposures.sum(0) / math.sqrt(n), self.signal * math.sqrt(n)

    def copies(
        self,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (2 or more, y, x)
        r"""Images with the signal of an exposure that was not split, each with noise of its own.

        Exposures themselves, where there are several. A single one is split into thirds by
        electrons: part i of m electrons, C_i ~ Binomial, has a mean of m/3 (1 + s / sqrt(m)) with
        s the whitened signal, so that

        .. math:: c_i = \frac{C_i - m/3}{\sqrt{m/3}} \cdot \sqrt 3
                      = \frac{3 C_i - m}{\sqrt m}

        has the mean s and a variance of 3 times the noise of the whole.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of randomness.

        Returns
        -------
        Tensor
            Unbiased copies for `difftem.functional.unsupervised_error`.
        """
        if len(self.exposures) > 1:
            return self.exposures / self.signal
        first = split_exposure(self.exposures[0], self.electrons, 1 / 3, generator)
        rest = split_exposure(first.held_out, self.electrons * 2 / 3, 0.5, generator)
        thirds = torch.stack([first.kept, rest.kept, rest.held_out])
        return thirds * math.sqrt(3) / self.signal


def part_exposures(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    fraction: float = 0.5,
    generator: torch.Generator | None = None,
) -> tuple[ExposurePart, ExposurePart]:
    """Divide exposures into two parts: by whole exposures if there are several, else by electrons.

    Parameters
    ----------
    exposures : Tensor
        Whitened, shape ``(n, y, x)``.
    electrons : float
        Per pixel in each.
    fraction : float
        Of exposures or electrons in the first part, between 0 and 1. Of exposures each part has
        one at least; those of the second part are spread over all.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    tuple of ExposurePart
        What a method may see, and what is held out.

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1, or `exposures` are no stack.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.exposure_parts import part_exposures
    >>> seen, held_out = part_exposures(torch.zeros(10, 8, 8), electrons=2.0, fraction=0.8)
    >>> len(seen.exposures), len(held_out.exposures)  # whole exposures of a movie
    (8, 2)
    >>> seen, held_out = part_exposures(torch.zeros(1, 8, 8), electrons=20.0, fraction=0.8)
    >>> seen.electrons, round(held_out.electrons)  # the electrons of a single one
    (16.0, 4)
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1, got {fraction}")
    if exposures.ndim != 3 or len(exposures) == 0:
        raise ValueError(f"exposures must be a stack (n, y, x), got {tuple(exposures.shape)}")
    n = len(exposures)
    if n == 1:
        parts = split_exposure(exposures[0], electrons, fraction, generator)
        return (
            ExposurePart(parts.kept[None], fraction * electrons, math.sqrt(fraction)),
            ExposurePart(parts.held_out[None], (1 - fraction) * electrons, math.sqrt(1 - fraction)),
        )
    held = min(max(round((1 - fraction) * n), 1), n - 1)
    chosen = torch.tensor([(i + 1) * held // n > i * held // n for i in range(n)])
    return (
        ExposurePart(exposures[~chosen], electrons, 1.0),
        ExposurePart(exposures[chosen], electrons, 1.0),
    )
