"""Errors of denoised images against the truth, averaged over images, as torchmetrics."""

from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise
from difftem.metrics.ring_correlation import AgreedFrequency
from difftem.metrics.structural_similarity import truth_range_similarity


class MeanOverImages(Metric):
    """Average of what a function makes of each pair of images, whatever their sizes.

    Parameters
    ----------
    function : callable
        ``(estimate, truth)``, each ``(..., y, x)``, to ``(...)``.
    """

    higher_is_better: bool | None = None
    is_differentiable = True
    full_state_update = False
    total: Tensor
    images: Tensor

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self._function = function
        for name in ("total", "images"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(
        self,
        estimate: Tensor,  # (..., y, x)
        truth: Tensor,  # (..., y, x)
    ) -> None:
        """Add images."""
        found = self._function(estimate, truth)
        self.total += found.sum()
        self.images += found.numel()

    def compute(self) -> Tensor:
        """Average over the images."""
        return self.total / self.images


class NormalisedError(MeanOverImages):
    """Mean over images of the normalised mean squared error: 1 for a constant image."""

    higher_is_better = False

    def __init__(self) -> None:
        super().__init__(normalised_error)


class ElectronPSNR(MeanOverImages):
    """Mean over images of the PSNR in dB, its peak being the range of the truth.

    In electrons per pixel and in whitened values it is the same.
    """

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(peak_signal_to_noise)


class ImageCorrelation(MeanOverImages):
    """Mean over images of the correlation of estimate and truth."""

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(correlation)


class TruthRangeSSIM(MeanOverImages):
    """Mean over images of the structural similarity in units of the range of the truth."""

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(truth_range_similarity)


def image_metrics(n_rings: int = 64) -> MetricCollection:
    """Everything that validation logs of denoised images ``(b, 1, y, x)`` with known truth.

    Parameters
    ----------
    n_rings : int
        Of the Fourier ring correlation.

    Returns
    -------
    MetricCollection
        ``nmse``, ``psnr`` (dB), ``correlation``, ``frc_half`` and ``frc_0143`` (FRC = 0.5 and
        0.143, in cycles/pixel) and ``ssim``; each is updated with estimate and truth.
    """
    return MetricCollection(
        {
            "nmse": NormalisedError(),
            "psnr": ElectronPSNR(),
            "correlation": ImageCorrelation(),
            "frc_half": AgreedFrequency(0.5, n_rings),
            "frc_0143": AgreedFrequency(0.143, n_rings),
            "ssim": TruthRangeSSIM(),
        },
        compute_groups=False,
    )
