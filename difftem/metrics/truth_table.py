"""All errors of one estimate against its truth, by the names that tables have."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from difftem.functional.faded_rings import faded_correlation, faded_products
from difftem.functional.fourier_ring import agreed_frequency
from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise
from difftem.functional.published_error import (
    SBD_VACUUM,
    clipped_peak_signal_to_noise,
    min_max_focal_frequency,
    min_max_peak_signal_to_noise,
    min_max_squared_error,
)
from difftem.metrics.structural_similarity import min_max_similarity, truth_range_similarity

TRUTH_COLUMNS = (
    "psnr_truth_range_db",
    "psnr_peak_mean_db",
    "rmse_e_per_pixel",
    "nmse",
    "correlation",
    "frc_0.5_cycles_per_pixel",
    "frc_0.143_cycles_per_pixel",
    "ssim_truth_range",
    "paper_mm_ssim",
    "paper_mm_psnr_db",
    "paper_mm_mse",
    "paper_mm_ffl",
    "sbd_psnr_peak_1_clipped_db",
)


def truth_table(
    estimate: Tensor,  # (y, x)
    truth: Tensor,  # (y, x)
    electrons: float,
    columns: Sequence[str] = TRUTH_COLUMNS,
) -> dict[str, float]:
    """Compare an estimate with the truth.

    Parameters
    ----------
    estimate, truth : Tensor
        Whitened values, ``(counts - electrons) / sqrt(electrons)``, shape ``(y, x)``.
    electrons : float
        Per pixel in the exposure that both stand for.
    columns : sequence of str
        Of `TRUTH_COLUMNS`: what is worked out, in this order. Names end in the unit; PSNR and SSIM
        have their range in the name. ``paper_mm``: after each image is stretched from 0 to 1.
        ``sbd``: in units that make the mean brightness 0.45.

    Returns
    -------
    dict of str to float
        By column. A constant truth has an infinite NMSE, a PSNR of minus infinity and no
        correlation.

    Raises
    ------
    ValueError
        For an unknown column, shapes that differ, or electrons that are not positive.
    """
    check_columns(columns, TRUTH_COLUMNS)
    if estimate.shape != truth.shape or truth.ndim != 2:
        raise ValueError(
            "estimate and truth must have one shape (y, x), got "
            f"{tuple(estimate.shape)} and {tuple(truth.shape)}"
        )
    if not electrons > 0:
        raise ValueError(f"electrons must be positive, got {electrons} e/pixel")
    estimate, truth = estimate.double(), truth.double()
    root = math.sqrt(electrons)
    rings = faded_correlation(faded_products(estimate, truth, ring_number(truth)))
    mse = (estimate - truth).square().mean()
    sbd = [SBD_VACUUM * (1 + each / root) for each in (estimate, truth)]
    work: dict[str, Callable[[], Tensor | float]] = {
        "psnr_truth_range_db": lambda: peak_signal_to_noise(estimate, truth),
        "psnr_peak_mean_db": lambda: 10 * torch.log10(electrons / mse),
        "rmse_e_per_pixel": lambda: root * mse.sqrt(),
        "nmse": lambda: normalised_error(estimate, truth),
        "correlation": lambda: correlation(estimate, truth),
        "frc_0.5_cycles_per_pixel": lambda: agreed_frequency(rings, 0.5),
        "frc_0.143_cycles_per_pixel": lambda: agreed_frequency(rings, 0.143),
        "ssim_truth_range": lambda: truth_range_similarity(estimate, truth),
        "paper_mm_ssim": lambda: min_max_similarity(estimate, truth),
        "paper_mm_psnr_db": lambda: min_max_peak_signal_to_noise(estimate, truth),
        "paper_mm_mse": lambda: min_max_squared_error(estimate, truth),
        "paper_mm_ffl": lambda: min_max_focal_frequency(estimate, truth),
        "sbd_psnr_peak_1_clipped_db": lambda: clipped_peak_signal_to_noise(sbd[0], sbd[1]),
    }
    return {name: float(work[name]()) for name in columns}


def ring_number(
    image: Tensor,  # (..., y, x)
) -> int:
    """Rings of four frequency steps, 64 at most: fewer steps correlate by chance."""
    return max(min(64, min(image.shape[-2:]) // 8), 1)


def check_columns(columns: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a column that there is not."""
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise ValueError(f"columns must be of {', '.join(known)}; got {', '.join(unknown)}")
