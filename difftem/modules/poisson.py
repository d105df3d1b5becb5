"""Poisson noise as a layer."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from difftem.functional.poisson import (
    ESTIMATORS,
    Estimator,
    poisson_expectation,
    sample_poisson,
)


class PoissonLayer(nn.Module):
    """Draw electron counts, with a named gradient estimator.

    Parameters
    ----------
    estimator : str
        ``gaussian`` (default; unbiased for losses up to quadratic) and ``straight_through`` work
        in any graph. ``measure_valued``, ``score_function`` and ``score_function_loo`` need the
        loss itself: call `expectation`. See `difftem.functional.poisson.poisson_expectation`.

    Raises
    ------
    ValueError
        For an unknown estimator.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import PoissonLayer
    >>> electrons = torch.full((64, 64), 20.0, requires_grad=True)
    >>> counts = PoissonLayer()(electrons, torch.Generator().manual_seed(0))
    >>> counts.sum().backward()  # the gradient goes on through the noise
    >>> round(electrons.grad.mean().item(), 1)
    1.0
    """

    def __init__(self, estimator: Estimator = "gaussian") -> None:
        super().__init__()
        if estimator not in ESTIMATORS:
            raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, got {estimator!r}")
        self.estimator = estimator

    def forward(
        self,
        rate: Tensor,  # (..., y, x) e/pixel
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (..., y, x) counts
        """Sample counts of the given rate; differentiable for the pathwise estimators."""
        if not (torch.is_grad_enabled() and rate.requires_grad):
            return torch.poisson(rate, generator=generator)
        return sample_poisson(rate, self.estimator, generator)

    def expectation(
        self,
        loss: Callable[[Tensor], Tensor],  # (s, ..., y, x) counts -> (s,)
        rate: Tensor,  # (..., y, x) e/pixel
        n_samples: int = 2,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # ()
        """Mean loss over samples, differentiable with any of the estimators."""
        return poisson_expectation(loss, rate, self.estimator, n_samples, generator)
