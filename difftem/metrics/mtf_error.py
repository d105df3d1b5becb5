"""Errors of an estimated MTF against a known one, over repeated fits."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class MTFError(Metric):
    """Maximum and mean absolute error of curves, each averaged over the fits seen.

    `compute` returns ``max``, ``mean`` (over frequency) and ``worst``, the largest maximum.
    """

    higher_is_better = False
    is_differentiable = False
    maximum: Tensor
    mean: Tensor
    worst: Tensor
    fits: Tensor

    def __init__(self, **options: Any) -> None:  # of `torchmetrics.Metric`
        super().__init__(**options)
        for name in ("maximum", "mean", "fits"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("worst", torch.zeros((), dtype=torch.float64), dist_reduce_fx="max")

    def update(
        self,
        curve: Tensor,  # (..., n)
        truth: Tensor,  # (n,) or (..., n)
    ) -> None:
        """Add fits."""
        error = (curve - truth).abs().double().reshape(-1, curve.shape[-1])
        largest = error.amax(-1)
        self.maximum += largest.sum()
        self.mean += error.mean(-1).sum()
        self.worst = torch.maximum(self.worst, largest.max())
        self.fits += len(error)

    def compute(self) -> dict[str, Tensor]:
        """Average over the fits."""
        return {
            "max": self.maximum / self.fits,
            "mean": self.mean / self.fits,
            "worst": self.worst.clone(),
        }


class BandCoverage(Metric):
    """Fraction of points of true curves that lie inside the bands of their fits.

    Points where a band has no width (H(0) = 1 by construction) are not counted.
    """

    higher_is_better = None
    is_differentiable = False
    inside: Tensor
    total: Tensor

    def __init__(self, **options: Any) -> None:  # of `torchmetrics.Metric`
        super().__init__(**options)
        for name in ("inside", "total"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(
        self,
        lower: Tensor,  # (..., n)
        upper: Tensor,  # (..., n)
        truth: Tensor,  # (n,) or (..., n)
    ) -> None:
        """Add the bands of fits."""
        counted = upper > lower
        self.inside += ((lower <= truth) & (truth <= upper) & counted).sum()
        self.total += counted.sum()

    def compute(self) -> Tensor:
        """Return the fraction, 0.95 for an honest 95 % band; 0 where no band has a width."""
        return self.inside / self.total.clamp(min=1)
