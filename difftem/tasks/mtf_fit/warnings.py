"""When a fit should not be trusted, and why, in sentences."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from difftem.tasks.mtf_fit.continuation import MEASURED_FROM
from difftem.tasks.mtf_fit.result import MTFFitResult

_LOW = 0.06  # cycles/pixel; structure of ice is below
_NO_CAMERA = 0.75  # H at that frequency; the lowest of the presets has 0.88
_TO = 0.485  # cycles/pixel; a range that ends before is continued by the family
_FOLDED = 0.25  # H(0.5) above which folding matters
_AT_BOUND = 1e-3  # parameters are of order 1 or above
_UNDETERMINED = 10.0  # relative error of a positive parameter
_EXPLAIN = {
    "psd": "the loss is no likelihood: there are no errors and no band; loss whittle has them",
    "ffl_pairwise": "the pairwise loss is inconsistent: its minimum is not the true curve; there "
    "are no errors and no band",
}


def doubts(
    result: MTFFitResult,
    lower: Sequence[float],
    upper: Sequence[float],
    lines: int = 0,
) -> MTFFitResult:
    """Add to a result what speaks against it.

    Parameters
    ----------
    result : MTFFitResult
        Without warnings.
    lower, upper : sequence of float
        Bounds of each parameter.
    lines : int
        Rows and columns of the spectrum left out as lines.

    Returns
    -------
    MTFFitResult
        The same with its warnings.
    """
    found = [
        _flat(result),
        _continued(result),
        _structure(result),
        _misfit(result),
        _folded(result),
        _outliers(result, lines),
        *_bounds(result, lower, upper),
        _EXPLAIN.get(result.loss),
    ]
    return replace(result, warnings=tuple(text for text in found if text))


def _flat(result: MTFFitResult) -> str | None:
    """Say that every electron was one count in one pixel."""
    last = len(result.frequency) - 1
    low, high = last // 5, last  # 0.1 and 0.5 cycles/pixel
    ratio = float(result.curve[high] / result.curve[low])
    slope = result.curve.new_zeros(last + 1)
    slope[high], slope[low] = 1 / result.curve[low], -ratio / result.curve[low]
    error = float((slope @ result.curve_covariance @ slope).clamp(min=0.0).sqrt())
    if not (error < 0.1 and ratio > 1 - max(2 * error, 0.05)):
        return None
    return (
        f"the noise spectrum is flat (H(0.5) / H(0.1) = {ratio:.3f} ± {error:.3f}): where a "
        "camera counts each electron as one pixel, noise cannot give its MTF; use a knife edge "
        "or a published curve"
    )


def _continued(result: MTFFitResult) -> str | None:
    """Say where the curve is not measured."""
    lowest, highest = (float(result.spectrum.frequency[i]) for i in (0, -1))
    texts = []
    if lowest > MEASURED_FROM:
        hangs = (
            "the band holds what cameras do there"
            if result.s0_error == 0
            else "the scale of the whole curve hangs on them, and the band holds what cameras do "
            "there (15 %)"
        )
        texts.append(
            f"frequencies below {lowest:.2f} cycles/pixel are not measured but continued by the "
            f"family: {hangs}"
        )
    if highest < _TO:
        texts.append(
            f"above {highest:.2f} cycles/pixel the curve is not measured but continued by the "
            "family: its band says nothing there"
        )
    return "; ".join(texts) or None


def _structure(result: MTFFitResult) -> str | None:
    """Say that there is more power at low frequency than the detector makes."""
    test = result.whiteness
    below = test.frequency < _LOW
    below[:3] = True
    at = round(_LOW / 0.5 * (len(result.frequency) - 1))
    value, error = float(result.curve[at]), float(result.standard_error[at])
    if value + 2 * error < _NO_CAMERA:
        return (
            f"the curve falls to H({_LOW}) = {value:.2f}: electron cameras seldom scatter so far; "
            "the fit may have taken structure in the background for s0: use differences of aligned "
            "exposures, a known gain, or fit from a higher frequency"
        )
    excess = (test.ratio - 1) / test.sigma
    strongest = int(excess.argmax())
    # One in a thousand of clean spectra, with as many bins tried.
    limit = 3.3 + 0.3 * float(torch.log(below.sum()))
    if not below[strongest] or float(excess[strongest]) < limit:
        return None
    return (
        f"power at {float(test.frequency[strongest]):.3f} cycles/pixel is "
        f"{float(test.ratio[strongest]):.2f} times the fit ({float(excess[strongest]):.0f} "
        "standard deviations): structure in the background; use differences of aligned "
        "exposures, or fit from a higher frequency"
    )


def _misfit(result: MTFFitResult) -> str | None:
    """Say that the family cannot follow the spectrum."""
    test = result.whiteness
    if test.p_value >= 1e-3:
        return None
    return (
        f"the fit is not white: chi-square {test.total:.0f} for {test.degrees} degrees of "
        f"freedom, p = {test.p_value:.1g}; try another family, a free read noise, or a narrower "
        "range: errors and band are too small"
    )


def _folded(result: MTFFitResult) -> str | None:
    """Say that frequencies above Nyquist fold back."""
    value = float(result.curve[-1])
    if _flat(result):  # counts are white with what folds back, and nothing is to be learnt
        return None
    if value < _FOLDED or float(result.spectrum.frequency[-1]) < _TO:
        return None
    return (
        f"H(0.5) = {value:.2f}: noise above Nyquist folds back in a real camera, so the curve "
        "near 0.5 cycles/pixel holds aliased power"
    )


def _outliers(result: MTFFitResult, lines: int) -> str | None:
    """Say what was left out."""
    if not result.excluded:
        return None
    where = f", among them {lines} whole lines" if lines else ""
    return f"{result.excluded} frequencies are no noise and were left out{where}"


def _bounds(result: MTFFitResult, lower: Sequence[float], upper: Sequence[float]) -> list[str]:
    """Say which parameters lie at a bound or are not determined."""
    texts: list[str] = []
    undetermined: list[str] = []
    each = zip(
        result.names,
        result.values.tolist(),
        result.standard_errors.tolist(),
        lower,
        upper,
        strict=True,
    )
    for name, value, error, low, high in each:
        nearest = min(value - low, high - value)
        if nearest < 0.05 * error and nearest < _AT_BOUND:
            bound = low if value - low < high - value else high
            texts.append(f"{name} = {value:.2g} is at its bound {bound:g}")
        elif error > _UNDETERMINED * abs(value) and low == 0:
            undetermined.append(name)
    if undetermined:
        texts.append(f"the data do not determine {', '.join(undetermined)}")
    return texts
