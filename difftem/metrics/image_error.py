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

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.image_error import MeanOverImages
    >>> metric = MeanOverImages(lambda estimate, truth: (estimate - truth).abs().mean((-2, -1)))
    >>> metric.update(torch.full((2, 8, 8), 3.0), torch.zeros(2, 8, 8))
    >>> metric.update(torch.zeros(1, 16, 16), torch.zeros(1, 16, 16))
    >>> metric.compute().item()  # of three images, large or small
    2.0
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
    """Mean over images of the normalised mean squared error: 1 for a constant image.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.image_error import NormalisedError
    >>> truth = torch.tensor([[0.0, 2.0], [4.0, 6.0]])
    >>> metric = NormalisedError()
    >>> metric.update(torch.full((2, 2), 3.0), truth)  # its mean, in every pixel
    >>> metric.compute().item()
    1.0
    """

    higher_is_better = False

    def __init__(self) -> None:
        super().__init__(normalised_error)


class ElectronPSNR(MeanOverImages):
    """Mean over images of the PSNR in dB, its peak being the range of the truth.

    In electrons per pixel and in whitened values it is the same.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.image_error import ElectronPSNR
    >>> truth = torch.tensor([[0.0, 5.0], [5.0, 10.0]])  # e/pixel, a range of 10
    >>> metric = ElectronPSNR()
    >>> metric.update(truth + 1, truth)
    >>> round(metric.compute().item(), 2)  # dB
    20.0
    """

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(peak_signal_to_noise)


class ImageCorrelation(MeanOverImages):
    """Mean over images of the correlation of estimate and truth.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.image_error import ImageCorrelation
    >>> truth = torch.tensor([[0.0, 5.0], [5.0, 10.0]])
    >>> metric = ImageCorrelation()
    >>> metric.update(3 * truth + 7, truth)
    >>> round(metric.compute().item(), 4)  # scale and offset do not count
    1.0
    """

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(correlation)


class TruthRangeSSIM(MeanOverImages):
    """Mean over images of the structural similarity in units of the range of the truth.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.image_error import TruthRangeSSIM
    >>> truth = torch.rand(16, 16, generator=torch.Generator().manual_seed(0))
    >>> metric = TruthRangeSSIM()
    >>> metric.update(truth, truth)
    >>> round(metric.compute().item(), 4)
    1.0
    """

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

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.image_error import image_metrics
    >>> truth = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> found = image_metrics(n_rings=8)(0.5 * truth, truth)
    >>> sorted(found), round(found["correlation"].item(), 3), round(found["nmse"].item(), 3)
    (['correlation', 'frc_0143', 'frc_half', 'nmse', 'psnr', 'ssim'], 1.0, 0.25)
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
