"""Fits of one spectrum by several families of curves, ordered by AIC."""

import math
from collections.abc import Callable, Collection
from dataclasses import replace

import torch
from torch import Tensor

from difftem.losses.whittle import white_level
from difftem.modules.mtf import (
    MTF,
    GaussLorentzSincMTF,
    LogSplineMTF,
    LorentzianMTF,
    RullgardMTF,
)
from difftem.tasks.mtf_fit.collect import SpectrumSum
from difftem.tasks.mtf_fit.inference import Measurement, infer
from difftem.tasks.mtf_fit.model import NoiseSpectrum
from difftem.tasks.mtf_fit.result import MTFFitResult
from difftem.tasks.mtf_fit.search import lbfgs, minimise

_WIDTHS = ("b", "c", "alpha", "beta")
_SPLINE_KNOTS = (5, 7, 9, 12)
_NEGLIGIBLE = 1e-6  # weight of a family
_NEAR_ZERO = 0.03  # cycles/pixel


def _spline(n_knots: int, even: bool) -> Callable[[float], MTF]:
    """Make a log-spline with knots from 0 to the highest frequency of the data."""

    def make(highest: float) -> MTF:
        knots = torch.linspace(0.0, 1.0, n_knots, dtype=torch.float64)[1:]
        start = -2 * highest * (torch.sqrt(knots) if even else knots)
        return LogSplineMTF(start, highest, learnable=("log_values",), even=even)

    return make


# The weight a is left out: it sets the scale of the others.
FAMILIES: dict[str, Callable[[float], MTF]] = {
    "lorentzian": lambda _: LorentzianMTF(learnable=_WIDTHS),
    "lorentzian_signed": lambda _: LorentzianMTF(signed=True, learnable=_WIDTHS),
    "rullgard": lambda _: RullgardMTF(learnable=(*_WIDTHS, "p", "q")),
    "gauss_lorentz_sinc": lambda _: GaussLorentzSincMTF(learnable=GaussLorentzSincMTF.names),
    **{f"log_spline_{n}": _spline(n, even=False) for n in _SPLINE_KNOTS},
    **{f"even_spline_{n}": _spline(n, even=True) for n in _SPLINE_KNOTS},
}
_FROM_ZERO = tuple(name for name in FAMILIES if not name.startswith("even_spline"))
# Others can hide a narrow part where there are no data.
_FROM_ABOVE = tuple(name for name in FAMILIES if name.startswith("even_spline"))
# A known level holds the curve at zero, too; cameras that scatter far fall faster than even ones.
_BETWEEN = tuple(name for name in FAMILIES if "spline" in name)


def mtf_family(
    name: str,
    highest_frequency: float = 0.5,  # cycles/pixel
) -> MTF:
    """Make the module of a family with all that it can learn, at a start for any camera.

    Parameters
    ----------
    name : str
        ``lorentzian``, ``lorentzian_signed``, ``rullgard``, ``gauss_lorentz_sinc``,
        ``log_spline_N`` or ``even_spline_N`` with N knots of 5, 7, 9 or 12.
    highest_frequency : float
        Last knot of a spline: the highest frequency of the data.

    Returns
    -------
    MTF
        For `MTFFit`.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> from difftem.tasks.mtf_fit import mtf_family
    >>> type(mtf_family("even_spline_7")).__name__
    'LogSplineMTF'
    """
    if name not in FAMILIES:
        raise ValueError(f"MTF family must be one of {', '.join(FAMILIES)}, got {name!r}")
    return FAMILIES[name](highest_frequency)


def fit_spectrum(
    measured: Measurement,
    mtf: MTF,
    s0: float | None = None,
    read_noise: float | None = 0.0,
    n_starts: int = 4,
    family: str | None = None,
) -> MTFFitResult:
    """Fit one family to a measured spectrum by maximum likelihood, without a Trainer.

    Parameters
    ----------
    measured : Measurement
        From `measure`.
    mtf : MTF
        Family and start; holds the fit afterwards.
    s0 : float, optional
        Known noise power at zero frequency, gain x mean. Default: fitted.
    read_noise : float, optional
        σ in grey values; None fits it.
    n_starts : int
        Searches.
    family : str, optional
        Name for the record. Default: the class.

    Returns
    -------
    MTFFitResult
        As of `MTFFit.result`.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import fit_spectrum, measure, mtf_family
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, s0 = measure(noise, noise.mean((1, 2)), gain=1.0)
    >>> result = fit_spectrum(measured, mtf_family("log_spline_5"), s0=s0, n_starts=1)
    >>> abs(result.curve[-1].item() - 1) < 0.05  # white noise: the NTF is 1 up to Nyquist
    True
    """
    learnable = ("s0",) * (s0 is None) + ("read_variance",) * (read_noise is None)
    variance = 1.0 if read_noise is None else read_noise**2
    name = type(mtf).__name__.removeprefix("Parametrized").removesuffix("MTF")
    model = NoiseSpectrum(mtf, 1.0 if s0 is None else s0, variance, learnable)
    model.to(measured.spectrum.power.device)
    if next(model.parameters(), None) is not None:
        optimiser = lbfgs(model)
        searches = minimise(
            model, measured.spectrum, optimiser.step, optimiser.state.clear, n_starts
        )
        for _ in searches:
            pass
    return infer(model, measured, family or name)


def usual_families(lowest_frequency: float, known_level: bool = False) -> tuple[str, ...]:
    """Families worth trying on data from a frequency on: splines that the data determine.

    Parameters
    ----------
    lowest_frequency : float
        Of the data, cycles/pixel.
    known_level : bool
        s0 is known.

    Returns
    -------
    tuple of str
        Names of `mtf_family`.

    Examples
    --------
    >>> from difftem.tasks.mtf_fit import usual_families
    >>> usual_families(lowest_frequency=0.1, known_level=True)[:2]
    ('log_spline_5', 'log_spline_7')
    """
    if lowest_frequency < _NEAR_ZERO:
        return _FROM_ZERO
    return _BETWEEN if known_level else _FROM_ABOVE


def select_family(
    measured: Measurement,
    families: Collection[str] | None = None,
    s0: float | None = None,
    read_noise: float | None = 0.0,
    n_starts: int = 4,
) -> list[MTFFitResult]:
    """Fit several families to one spectrum.

    Parameters
    ----------
    measured : Measurement
        From `measure`.
    families : collection of str, optional
        Names of `mtf_family`. Default: `usual_families`.
    s0, read_noise, n_starts
        As of `fit_spectrum`.

    Returns
    -------
    list of MTFFitResult
        The smallest AIC first; its band holds the uncertainty of the choice, too. A family whose
        parameters ran away is left out.

    Raises
    ------
    ValueError
        For an unknown family, or if none can be fitted.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import measure, select_family
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, s0 = measure(noise, noise.mean((1, 2)), gain=1.0)
    >>> results = select_family(measured, ["even_spline_5", "log_spline_5"], s0=s0, n_starts=1)
    >>> results[0].aic <= results[1].aic
    True
    """
    lowest, highest = (float(measured.spectrum.frequency[i]) for i in (0, -1))
    families = usual_families(lowest, s0 is not None) if families is None else families
    results = [
        fit_spectrum(measured, mtf_family(name, highest), s0, read_noise, n_starts, name)
        for name in families
    ]
    results = [result for result in results if math.isfinite(result.aic)]
    if not results:
        raise ValueError(f"none of {', '.join(families)} can be fitted to the spectrum")
    results.sort(key=lambda result: result.aic)
    return [_with_choice(results), *results[1:]]


def _with_choice(results: list[MTFFitResult]) -> MTFFitResult:
    r"""Widen the first result's band by what the choice of family leaves open.

    .. math:: \sum_i w_i \left[C_i + (H_i - H_1)(H_i - H_1)^T\right], \qquad
              w_i \propto e^{-\Delta \text{AIC}_i / 2}

    Burnham & Anderson, Model Selection and Multimodel Inference (2002), section 4.3. A family whose
    own error exceeds the whole curve has a peak below the lowest frequency that the data do not
    hold: it says nothing of the level, and is left out.
    """
    best, *others = results
    results = [best, *(each for each in others if float(each.standard_error.max()) < 1.0)]
    aic = torch.tensor([result.aic for result in results], dtype=torch.float64)
    weights = torch.softmax(-0.5 * (aic - aic[0]), 0)
    total = torch.zeros_like(best.curve_covariance)
    for weight, result in zip(weights, results, strict=True):
        if weight > _NEGLIGIBLE:
            apart = result.curve - best.curve
            total += weight * (result.curve_covariance + torch.outer(apart, apart))
    return replace(best, curve_covariance=total)


def measure(
    images: Tensor,  # (n, y, x)
    means: Tensor,  # (n,)
    gain: float | None = None,
    *,
    limits: tuple[float, float] = (0.0, 1.0),
    window: str = "none",
    exclude_lines: bool = True,
) -> tuple[Measurement, float | None]:
    """Spectrum of crops in memory, and its s0 where the gain makes it known.

    Parameters
    ----------
    images, means, gain
        As of a batch and of `MTFFit`.
    limits : tuple of float
        Lowest and highest frequency in cycles/pixel.
    window : {"none", "tukey", "hann"}
        See `difftem.analysis.noise_spectrum.mean_periodogram`.
    exclude_lines : bool
        Leave out lines and peaks that are no noise.

    Returns
    -------
    tuple of Measurement and float or None
        For `fit_spectrum` and `select_family`.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import measure
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, s0 = measure(noise, noise.mean((1, 2)), gain=1.0)
    >>> measured.n_crops, round(s0)
    (4, 100)
    """
    collected = SpectrumSum(limits, window, exclude_lines)
    collected.add(images, means, 0)
    s0 = None if gain is None else float(white_level(collected.mean(), gain))
    return collected.measurement(), s0
