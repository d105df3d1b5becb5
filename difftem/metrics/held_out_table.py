"""All scores of a method on exposures without a truth, by the names that tables have."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from difftem.analysis.held_out import ICE, band_masks, banded_log_likelihood
from difftem.functional.exposure_parts import ExposurePart, Method, part_exposures
from difftem.functional.fourier_ring import agreed_frequency, ring_correlation, ring_products
from difftem.metrics.truth_table import check_columns, ring_number
from difftem.metrics.unsupervised_error import UnsupervisedError

_BANDS = ("total", "below 0.03", "0.03-0.15", "below 0.15", "above 0.15", ICE)
LIKELIHOOD_COLUMNS = tuple(
    f"nats_per_1000_pixels_{band.replace(' ', '_')}{suffix}"
    for band in _BANDS
    for suffix in ("", "_error")
)
_NOTHING = 1e-12  # of the mean power of an image: rounding that a band-limited image has left
_ERRORS = {
    "umse_noise_variances": "umse",
    "umse_noise_variances_error": "umse_error",
    "unmse": "unmse",
    "unmse_error": "unmse_error",
    "upsnr_peak_mean_db": "upsnr",
    "upsnr_peak_mean_db_error": "upsnr_error",
}
ERROR_COLUMNS = tuple(_ERRORS)
HALF_COLUMNS = ("frc_halves_0.143_cycles_per_pixel", "frc_half_raw_0.143_cycles_per_pixel")
HELD_OUT_COLUMNS = (*LIKELIHOOD_COLUMNS, *ERROR_COLUMNS, *HALF_COLUMNS)


def held_out_table(
    method: Method,
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    pixel_size: float | None = None,
    fraction: float = 0.8,
    block: int = 128,
    columns: Sequence[str] = HELD_OUT_COLUMNS,
) -> dict[str, float]:
    """Score a method by electrons that it has not seen.

    All splits are drawn before the method runs: methods that get generators of one seed see the
    same ones. The method runs once for likelihood and uMSE and twice for the halves, and only for
    columns that are asked for.

    Parameters
    ----------
    method : callable
        ``(exposures (n, y, x) whitened, electrons per pixel, generator)`` to the estimate of one
        exposure ``(y, x)``.
    exposures : Tensor
        Whitened, shape ``(n, y, x)``. Several are divided into whole exposures, a single one by
        electrons.
    electrons : float
        Per pixel in each.
    generator : torch.Generator, optional
        Source of randomness.
    pixel_size : float, optional
        Å; without it, the ring of ice is no band of its own and its columns are NaN.
    fraction : float
        Of the electrons (exposures) in the part that a method sees for likelihood and uMSE.
    block : int
        Side of the blocks in pixels whose scatter gives the errors; at most half of the image.
    columns : sequence of str
        Of `HELD_OUT_COLUMNS`: what is worked out, in this order.

    Returns
    -------
    dict of str to float
        By column. uMSE is in units of the noise of one exposure of `electrons`.

    Raises
    ------
    ValueError
        For an unknown column, a fraction that is not between 0 and 1, or exposures that are no
        stack.
    """
    check_columns(columns, HELD_OUT_COLUMNS)
    parts = part_exposures(exposures, electrons, fraction, generator)
    copies = parts[1].copies(generator)
    halves = part_exposures(exposures, electrons, 0.5, generator)
    block = min(block, min(exposures.shape[-2:]) // 2)
    found: dict[str, float] = {}
    if set(columns) & {*LIKELIHOOD_COLUMNS, *ERROR_COLUMNS}:
        estimate = parts[0].estimate(method, generator)
        found |= _likelihood(estimate, parts[1], pixel_size, block)
        metric = UnsupervisedError(block)
        metric.update(estimate, copies, math.sqrt(electrons))
        values = metric.compute()
        found |= {name: float(values[key]) for name, key in _ERRORS.items()}
    if set(columns) & set(HALF_COLUMNS):
        found |= _halves(method, halves, generator)
    return {name: found[name] for name in columns}


def _likelihood(
    estimate: Tensor, held_out: ExposurePart, pixel_size: float | None, block: int
) -> dict[str, float]:
    """Log likelihood by band and its standard error."""
    image, signal = held_out.summed()
    masks = band_masks((image.shape[0], image.shape[1]), pixel_size)
    scores = banded_log_likelihood(signal * estimate, image, masks, block)
    values = [
        (scores.value(band), scores.error(band)) if band in scores.blocks else (math.nan, math.nan)
        for band in _BANDS
    ]
    return dict(zip(LIKELIHOOD_COLUMNS, [x for pair in values for x in pair], strict=True))


def _halves(
    method: Method, halves: tuple[ExposurePart, ExposurePart], generator: torch.Generator | None
) -> dict[str, float]:
    """FRC of both denoised halves, and of each with the other as it was recorded."""
    a, b = (half.estimate(method, generator) for half in halves)
    n = ring_number(a)
    raw = [half.summed()[0] for half in halves]
    crossed = ring_products(a, raw[1], n) + ring_products(b, raw[0], n)
    curves = (_correlation(ring_products(a, b, n)), _correlation(crossed))
    return dict(zip(HALF_COLUMNS, (agreed_frequency(each, 0.143) for each in curves), strict=True))


def _correlation(products: Tensor) -> Tensor:
    """FRC, 0 in rings where an image has nothing but rounding errors."""
    power = products[1:]
    there = (power > _NOTHING * power.mean(-1, keepdim=True)).all(0)
    return ring_correlation(products) * there
