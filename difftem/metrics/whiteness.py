"""Whiteness of residuals over many images, as torchmetrics."""

import torch
from torch import Tensor
from torchmetrics import Metric

from difftem.functional.whiteness import ring_power, whiteness_test


class ResidualWhiteness(Metric):
    """Ring spectrum of residuals against that of white noise.

    `compute` returns ``chi2_per_ring`` (1 for white noise, with a scatter of the root of
    2 / rings), ``p_value``, ``deviation`` (root mean square of power - 1 over all frequencies) and
    ``variance``.

    Parameters
    ----------
    n_rings : int
        From 0 to Nyquist; the corners beyond are one more.
    variance : float or None
        Of the noise; None tests the shape of the spectrum only.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.whiteness import ResidualWhiteness
    >>> metric = ResidualWhiteness(n_rings=16)
    >>> metric.update(torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0)))
    >>> found = metric.compute()
    >>> round(found["variance"].item(), 1), found["p_value"].item() > 0.01  # white noise passes
    (1.0, True)
    """

    higher_is_better = False
    is_differentiable = False
    full_state_update = False
    sums: Tensor

    def __init__(self, n_rings: int = 64, variance: float | None = 1.0) -> None:
        super().__init__()
        self._variance = variance
        zeros = torch.zeros(2, n_rings + 1, dtype=torch.float64)
        self.add_state("sums", zeros, dist_reduce_fx="sum")

    def update(
        self,
        residual: Tensor,  # (..., y, x)
    ) -> None:
        """Add images: what was recorded less its estimate, noise of variance 1 if that is right."""
        found = ring_power(residual, self.sums.shape[-1] - 1)
        self.sums += found.reshape(-1, *self.sums.shape).sum(0)

    def compute(self) -> dict[str, Tensor]:
        """Test the summed spectra."""
        found = whiteness_test(self.sums, self._variance)
        power, ordinates = self.sums.sum(1)
        return {
            "chi2_per_ring": torch.tensor(found.chi2 / found.freedom),
            "p_value": torch.tensor(found.p_value),
            "deviation": torch.tensor(found.deviation),
            "variance": power / ordinates,
        }
