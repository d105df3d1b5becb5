"""Agreement of halves over many images, as torchmetrics."""

import torch
from torch import Tensor
from torchmetrics import Metric

from difftem.functional.fourier_ring import agreed_frequency
from difftem.functional.half_agreement import half_agreement, half_products


class AgreementOfHalves(Metric):
    """Frequencies up to which halves agree, and the correlation with the truth that follows.

    `compute` returns ``denoised``, ``with_raw`` and ``raw`` in cycles/pixel and ``correlation``:
    see `difftem.functional.half_agreement`.

    Parameters
    ----------
    threshold : float
        Of the Fourier ring correlation.
    n_rings : int
        From 0 to Nyquist.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.half_agreement import AgreementOfHalves
    >>> signal, *noise = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> first, second = signal + noise[0], signal + noise[1]
    >>> metric = AgreementOfHalves(n_rings=8)
    >>> metric.update(first, second, first, second)  # nothing was denoised
    >>> found = metric.compute()
    >>> found["raw"].item() == found["denoised"].item(), round(found["correlation"].item(), 1)
    (True, 0.7)
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    products: Tensor

    def __init__(self, threshold: float = 0.143, n_rings: int = 64) -> None:
        super().__init__()
        self._threshold = threshold
        zeros = torch.zeros(3, 3, n_rings, dtype=torch.float64)
        self.add_state("products", zeros, dist_reduce_fx="sum")

    def update(
        self,
        first: Tensor,  # (y, x)
        second: Tensor,  # (y, x)
        raw_first: Tensor,  # (y, x)
        raw_second: Tensor,  # (y, x)
    ) -> None:
        """Add an image: both halves denoised, and as they were recorded."""
        n = self.products.shape[-1]
        self.products += half_products(first, second, raw_first, raw_second, n)

    def compute(self) -> dict[str, Tensor]:
        """Compare the summed spectra."""
        found = half_agreement(self.products)
        curves = {"denoised": found.denoised, "with_raw": found.with_raw, "raw": found.raw}
        at = {name: agreed_frequency(curve, self._threshold) for name, curve in curves.items()}
        return {
            name: torch.tensor(value)
            for name, value in (at | {"correlation": found.correlation}).items()
        }
