"""Fourier ring correlation over many images, as torchmetrics."""

import torch
from torch import Tensor
from torchmetrics import Metric

from difftem.functional.faded_rings import faded_correlation, faded_products
from difftem.functional.fourier_ring import agreed_frequency


class RingCorrelation(Metric):
    """Fourier ring correlation of pairs of whitened images, their spectra added up.

    Images fade to their edges: they need not be periodic.

    Parameters
    ----------
    n_rings : int
        From 0 to Nyquist.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.ring_correlation import RingCorrelation
    >>> signal, *noise = torch.randn(3, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> metric = RingCorrelation(n_rings=2)
    >>> metric.update(signal + noise[0], signal + noise[1])
    >>> [round(value, 1) for value in metric.compute().tolist()]  # one part of signal in two
    [0.5, 0.5]
    """

    higher_is_better: bool | None = None
    is_differentiable = False
    full_state_update = False
    products: Tensor

    def __init__(self, n_rings: int = 64) -> None:
        super().__init__()
        zeros = torch.zeros(4, n_rings, dtype=torch.float64)
        self.add_state("products", zeros, dist_reduce_fx="sum")

    def update(
        self,
        first: Tensor,  # (..., y, x)
        second: Tensor,  # (..., y, x)
    ) -> None:
        """Add pairs of images."""
        found = faded_products(first, second, self.products.shape[-1])
        self.products += found.reshape(-1, *self.products.shape).sum(0)

    def compute(self) -> Tensor:  # (n_rings,)
        """Correlation in each ring."""
        return faded_correlation(self.products)


class AgreedFrequency(RingCorrelation):
    """Frequency in cycles/pixel up to which pairs of images correlate by a threshold.

    Parameters
    ----------
    threshold : float
        0.5 against a truth, 0.143 between halves of the data.
    n_rings : int
        From 0 to Nyquist.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.mtf import apply_transfer
    >>> from difftem.functional.whitening import radial_transfer
    >>> from difftem.metrics.ring_correlation import AgreedFrequency
    >>> truth, noise = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> cut = radial_transfer(torch.tensor([0.24, 0.26]), torch.tensor([1.0, 0.0]), (128, 128))
    >>> metric = AgreedFrequency(threshold=0.5, n_rings=16)
    >>> metric.update(apply_transfer(truth, cut) + 0.1 * noise, truth)
    >>> round(metric.compute().item(), 2)  # cycles/pixel: no signal beyond 0.25
    0.26
    """

    higher_is_better = True

    def __init__(self, threshold: float = 0.5, n_rings: int = 64) -> None:
        super().__init__(n_rings)
        self._threshold = threshold

    def compute(self) -> Tensor:  # () cycles/pixel
        """Frequency where the correlation falls below the threshold for the last time."""
        return torch.tensor(agreed_frequency(super().compute(), self._threshold))
