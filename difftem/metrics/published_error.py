"""Errors as two papers define them, averaged over images, as torchmetrics."""

from difftem.functional.published_error import (
    clipped_peak_signal_to_noise,
    min_max_focal_frequency,
    min_max_peak_signal_to_noise,
    min_max_squared_error,
)
from difftem.metrics.image_error import MeanOverImages
from difftem.metrics.structural_similarity import min_max_similarity


class MinMaxSSIM(MeanOverImages):
    """Mean over images of the SSIM after each image is stretched from 0 to 1 ("paper-mm")."""

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(min_max_similarity)


class MinMaxPSNR(MeanOverImages):
    """Mean over images of the PSNR in dB after each is stretched from 0 to 1 ("paper-mm")."""

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(min_max_peak_signal_to_noise)


class MinMaxError(MeanOverImages):
    """Mean over images of the squared error after each is stretched from 0 to 1 ("paper-mm")."""

    higher_is_better = False

    def __init__(self) -> None:
        super().__init__(min_max_squared_error)


class MinMaxFocalFrequency(MeanOverImages):
    """Mean over images of the focal frequency distance, each stretched from 0 to 1 ("paper-mm")."""

    higher_is_better = False

    def __init__(self) -> None:
        super().__init__(min_max_focal_frequency)


class ClippedPSNR(MeanOverImages):
    """Mean over images of SBD's PSNR in dB: peak 1, clipped, in units of vacuum = 0.45."""

    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(clipped_peak_signal_to_noise)
