"""All scores of a method on exposures without a truth, by the names that tables have."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from difftem.analysis.held_out import band_masks
from difftem.functional.exposure_parts import ExposurePart, Method, part_exposures
from difftem.functional.mtf import apply_transfer
from difftem.metrics.half_agreement import AgreementOfHalves
from difftem.metrics.held_out_likelihood import BANDS, BandedLogLikelihood
from difftem.metrics.truth_table import check_columns, ring_number
from difftem.metrics.unsupervised_error import UnsupervisedError
from difftem.metrics.whiteness import ResidualWhiteness

# Name of the column to name in what a metric computes.
_LIKELIHOOD = {
    f"nats_per_1000_pixels_{name.replace(' ', '_')}": name
    for band in BANDS
    for name in (band, f"{band} error")
}
_ERRORS = {
    "umse_noise_variances": "umse",
    "umse_noise_variances_error": "umse_error",
    "unmse": "unmse",
    "unmse_error": "unmse_error",
    "upsnr_peak_mean_db": "upsnr",
    "upsnr_peak_mean_db_error": "upsnr_error",
}
# The same of images that are cut off at 0.15 cycles/pixel, without the ring of ice if known.
_LOW_ERRORS = {
    name.replace("_", "_below_0.15_", 1) if "_" in name else f"{name}_below_0.15": key
    for name, key in _ERRORS.items()
}
_HALVES = {
    "frc_halves_0.143_cycles_per_pixel": "denoised",
    "frc_half_raw_0.143_cycles_per_pixel": "with_raw",
    "correlation_from_halves": "correlation",
}
_RESIDUAL = {
    "residual_variance": "variance",
    "residual_deviation": "deviation",
    "residual_chi2_per_ring": "chi2_per_ring",
    "residual_p_value": "p_value",
}
LIKELIHOOD_COLUMNS, ERROR_COLUMNS = tuple(_LIKELIHOOD), (*_ERRORS, *_LOW_ERRORS)
HALF_COLUMNS, RESIDUAL_COLUMNS = tuple(_HALVES), tuple(_RESIDUAL)
HELD_OUT_COLUMNS = (*LIKELIHOOD_COLUMNS, *ERROR_COLUMNS, *HALF_COLUMNS, *RESIDUAL_COLUMNS)


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
    """Score a method by electrons that it has not seen, and by what it leaves of those it has.

    All splits are drawn before the method runs: methods that get generators of one seed see the
    same ones. The method runs once for likelihood and uMSE, twice for the halves and once for the
    residual, and only for columns that are asked for.

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
        Of `HELD_OUT_COLUMNS`: what is worked out, in this order;
        docs/explanation/metrics.md explains each.

    Returns
    -------
    dict of str to float
        By column. uMSE is in units of the noise of one exposure of `electrons`.

    Raises
    ------
    ValueError
        For an unknown column, a fraction that is not between 0 and 1, or exposures that are no
        stack.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.held_out_table import held_out_table
    >>> exposures = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))  # vacuum
    >>> average = lambda exposures, electrons, generator: exposures.mean(0)
    >>> columns = ["umse_noise_variances"]
    >>> found = held_out_table(average, exposures, electrons=20.0, columns=columns)
    >>> {name: round(value, 1) for name, value in found.items()}  # it averages three of the four
    {'umse_noise_variances': 0.3}
    """
    check_columns(columns, HELD_OUT_COLUMNS)
    parts = part_exposures(exposures, electrons, fraction, generator)
    whole = ExposurePart(exposures, electrons, 1.0)
    copies, of_signal = parts[1].copies(generator), whole.copies(generator)
    halves = part_exposures(exposures, electrons, 0.5, generator)
    wanted, found = set(columns), dict[str, float]()
    block = min(block, min(exposures.shape[-2:]) // 2)
    if wanted & {*LIKELIHOOD_COLUMNS, *ERROR_COLUMNS}:
        estimate = parts[0].estimate(method, generator)
        likelihood = BandedLogLikelihood(pixel_size, block)
        image, signal = parts[1].summed()
        likelihood.update(signal * estimate, image)
        found |= _named(_LIKELIHOOD, likelihood.compute())
        masks = band_masks((image.shape[0], image.shape[1]), pixel_size)
        low = (masks[BANDS[1]] | masks[BANDS[2]]).to(image)
        images = (estimate, copies, of_signal)
        filtered = tuple(apply_transfer(each, low.to(each)) for each in images)
        for names, (f, c, s) in ((_ERRORS, images), (_LOW_ERRORS, filtered)):
            error = UnsupervisedError(block)
            error.update(f, c, math.sqrt(electrons), s)
            found |= _named(names, error.compute())
    if wanted & set(_HALVES):
        estimates = [half.estimate(method, generator) for half in halves]
        agreement = AgreementOfHalves(n_rings=ring_number(exposures))
        agreement.update(*estimates, *(half.exposures.mean(0) for half in halves))
        found |= _named(_HALVES, agreement.compute())
    if wanted & set(_RESIDUAL):
        image, signal = whole.summed()
        whiteness = ResidualWhiteness(ring_number(exposures))
        whiteness.update(image - signal * whole.estimate(method, generator))
        found |= _named(_RESIDUAL, whiteness.compute())
    return {name: found[name] for name in columns}


def _named(names: dict[str, str], values: dict[str, Tensor]) -> dict[str, float]:
    """Give values the names of columns."""
    return {column: float(values[name]) for column, name in names.items()}
