"""Pairs of whole images with independent noise, of one whitened field."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from difftem.functional.count_split import are_counts, split_exposure, split_whitened
from difftem.functional.wiener import wiener_estimate

_VARIANCE = (0.25, 4.0)  # of the noise at a pixel, in units of its mean over the image


@dataclass(frozen=True, eq=False)
class WholePair:
    """Two images of one field.

    Attributes
    ----------
    noisy : Tensor
        Noise of variance 1, shape ``(y, x)``.
    wiener : Tensor
        Wiener's estimate from `noisy`.
    target : Tensor
        Of the same expected value, with independent noise.
    target_variance : float
        Of the noise in `target`.
    electrons : float
        Per pixel of `noisy`.
    """

    noisy: Tensor
    wiener: Tensor
    target: Tensor
    target_variance: float
    electrons: float


class PairSource(Protocol):
    """Gives pairs by number; the same number gives the same pair."""

    shape: tuple[int, int]

    def pair(self, number: int) -> WholePair:
        """Make a pair."""


class SplitPairs:
    """Random splits of all exposures of a field taken together.

    Parameters
    ----------
    exposures : Tensor
        Whitened, of one field, shape ``(n, y, x)``.
    electrons : float
        Per pixel and exposure.
    fraction : float
        Of the electrons in the noisy image; the others are the target.
    seed : int
        Of all pairs.
    """

    def __init__(
        self,
        exposures: Tensor,  # (n, y, x)
        electrons: float,
        fraction: float = 0.5,
        seed: int = 0,
    ) -> None:
        n, ny, nx = exposures.shape
        self.shape = ny, nx
        self.fraction, self.seed = fraction, seed
        self.electrons = n * electrons
        self.values = exposures.mean(0) * math.sqrt(n)
        root = math.sqrt(self.electrons)
        self._variance: Tensor | None = None
        if not are_counts(self.values * root + self.electrons):
            self._variance = (1 + wiener_estimate(self.values) / root).clamp(*_VARIANCE)

    def pair(self, number: int) -> WholePair:
        """Split anew.

        Parameters
        ----------
        number : int
            Of the split.

        Returns
        -------
        WholePair
            On the device of the exposures.
        """
        generator = seeded(self.seed, number, self.values.device)
        if self._variance is None:
            parts = split_exposure(self.values, self.electrons, self.fraction, generator)
        else:
            parts = split_whitened(self.values, self.fraction, generator, self._variance)
        return WholePair(
            parts.kept,
            wiener_estimate(parts.kept),
            parts.target,
            self.fraction / (1 - self.fraction),
            self.fraction * self.electrons,
        )


class MeasuredPairs:
    """Exposures of a field against its other exposures, a random half of them each time.

    Parameters
    ----------
    exposures : Tensor
        Whitened, of one field, two at least, shape ``(n, y, x)``.
    electrons : float
        Per pixel and exposure.
    seed : int
        Of all pairs.

    Raises
    ------
    ValueError
        For a single exposure.
    """

    def __init__(
        self,
        exposures: Tensor,  # (n, y, x)
        electrons: float,
        seed: int = 0,
    ) -> None:
        n, ny, nx = exposures.shape
        if n < 2:
            raise ValueError(
                f"pairs need at least 2 exposures of a field, got {n}: a single exposure can be "
                "split by its electrons"
            )
        self.shape = ny, nx
        self.seed, self.electrons, self.values = seed, electrons, exposures

    def pair(self, number: int) -> WholePair:
        """Draw a half of the exposures.

        Parameters
        ----------
        number : int
            Of the draw.

        Returns
        -------
        WholePair
            On the device of the exposures.
        """
        n = len(self.values)
        generator = seeded(self.seed, number // 2, torch.device("cpu"))
        order = torch.randperm(n, generator=generator)
        half = n // 2
        # Numbers 2k and 2k + 1 are one draw, both ways round where the halves are equal.
        order = order.roll(half) if number % 2 else order
        kept, others = self.values[order[:half]], self.values[order[half:]]
        noisy = kept.mean(0) * math.sqrt(half)
        return WholePair(
            noisy,
            wiener_estimate(noisy),
            others.mean(0) * math.sqrt(half),
            half / (n - half),
            half * self.electrons,
        )


def pairs_of(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    fraction: float = 0.5,
    seed: int = 0,
) -> PairSource:
    """Pair the exposures of a field where there are several, else split the only one.

    Parameters
    ----------
    exposures : Tensor
        Whitened, shape ``(n, y, x)``.
    electrons : float
        Per pixel and exposure.
    fraction : float
        Of the electrons in the noisy image of a split.
    seed : int
        Of all pairs.

    Returns
    -------
    PairSource
        Pairs by number.
    """
    if len(exposures) > 1:
        return MeasuredPairs(exposures, electrons, seed)
    return SplitPairs(exposures, electrons, fraction, seed)


def seeded(seed: int, number: int, device: torch.device) -> torch.Generator:
    """Seed a generator for one item among many, the same in every process."""
    mixed = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9) % 2**63
    return torch.Generator(device).manual_seed(mixed)
