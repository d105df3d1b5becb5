"""Errors, tests and bounds of a fitted noise spectrum."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from difftem.analysis.fisher import (
    Covariance,
    invert_information,
    jacobian,
    propagate,
    spectral_information,
)
from difftem.analysis.noise_spectrum import RingSpectrum
from difftem.analysis.ring_bins import equal_bins, merge_rings
from difftem.losses.whittle import whittle_loss
from difftem.modules.mtf import MTF
from difftem.tasks.mtf_fit.continuation import with_continuation
from difftem.tasks.mtf_fit.model import NoiseSpectrum, PlainParameters
from difftem.tasks.mtf_fit.result import MTFFitResult, Whiteness
from difftem.tasks.mtf_fit.warnings import doubts

_POINTS = 101
_ORDINATES_PER_BIN = 50
_MOST_BINS = 100
_FARTHEST = 1e3  # times its value, or 1: as far as a parameter is believed to go


@dataclass(frozen=True)
class Measurement:
    """A measured spectrum and where it comes from.

    Parameters
    ----------
    spectrum : RingSpectrum
        In the frequency range of the fit.
    n_crops : int
        Crops averaged.
    excluded : int
        Frequencies left out as outliers.
    lines : int
        Whole rows and columns among them.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import measure
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, _ = measure(noise, noise.mean((1, 2)))
    >>> measured.n_crops, measured.lines
    (4, 0)
    """

    spectrum: RingSpectrum
    n_crops: int
    excluded: int = 0
    lines: int = 0


def infer(
    model: NoiseSpectrum,
    measured: Measurement,
    family: str,
    loss: str = "whittle",
) -> MTFFitResult:
    """Put errors, tests and warnings to a model at the maximum of its likelihood.

    Covariances are inverse information in the parameters' own units. At a bound (a weight of 0,
    say) the likelihood has a slope and the curvature in logarithms means nothing; there, and
    where the observed information is not positive definite, the expected information stands in:
    the constraint is not used, so the band is rather too wide than too narrow. Directions
    without information (the width of a Lorentzian of weight 0) do not move the spectrum, and so
    not the curve; they are left out of the covariance, and the parameters that they touch have
    infinite errors. Losses that are no likelihood get no errors and no band (NaN): what they
    scatter by is not in the spectrum.

    Parameters
    ----------
    model : NoiseSpectrum
        Fitted.
    measured : Measurement
        What it was fitted to.
    family, loss : str
        Names for the record.

    Returns
    -------
    MTFFitResult
        On the CPU.
    """
    model = _on_cpu(model)
    on_device = measured.spectrum
    spectrum = RingSpectrum(
        on_device.frequency.cpu(), on_device.power.cpu(), on_device.ordinates.cpu()
    )
    plain = PlainParameters(model)
    at = plain.values
    power = plain.function(lambda module, q: module(q), spectrum.frequency)
    # A parameter that has run to infinity has no derivative and no influence.
    derivatives = jacobian(lambda v: torch.log(power(v)), at).nan_to_num(0.0, 0.0, 0.0)
    reached = _reached(derivatives, spectrum.ordinates, at)
    derivatives = derivatives * reached
    expected = invert_information(spectral_information(derivatives, spectrum.ordinates))
    # Expected information never has a negative direction, observed information can.
    observed = _observed(plain, power(at), derivatives, spectrum, expected)

    frequency = torch.linspace(0.0, 0.5, _POINTS, dtype=torch.float64)
    curve = plain.function(_mtf, frequency)
    slopes = jacobian(curve, at).nan_to_num(0.0, 0.0, 0.0) * reached
    errors = observed.matrix.diagonal().clamp(min=0.0).sqrt()
    errors = torch.where(observed.determined, errors, torch.inf)
    fitted = power(at).detach()
    likelihood = -float(whittle_loss(spectrum, fitted))
    by_name = dict(zip(plain.names, errors.tolist(), strict=True))
    variance = float(model.read_variance.detach())
    read_noise = variance**0.5
    variance_error = by_name.get("read_variance", 0.0)
    read_error = min(variance_error / (2 * read_noise) if variance else torch.inf, variance_error)
    bare = MTFFitResult(
        family=family,
        loss=loss,
        frequency=frequency,
        curve=curve(at).detach(),
        curve_covariance=propagate(slopes, observed.matrix),
        cramer_rao=propagate(slopes, expected.matrix),
        names=tuple(plain.names),
        values=at,
        standard_errors=errors,
        covariance=observed.matrix,
        s0=float(model.s0.detach()),
        s0_error=by_name.get("s0", 0.0),
        read_noise=read_noise,
        read_noise_error=read_error if variance_error else 0.0,
        log_likelihood=likelihood,
        # A direction lost at a bound was free to be used: it counts, or corners win.
        aic=2 * len(at) - 2 * likelihood,
        n_parameters=expected.rank,
        spectrum=spectrum,
        model=fitted,
        whiteness=whiteness(spectrum, fitted, expected.rank),
        n_crops=measured.n_crops,
        excluded=measured.excluded,
        warnings=(),
    )
    found = doubts(with_continuation(bare), plain.lower, plain.upper, measured.lines)
    return found if loss == "whittle" else _without_band(found)


def _without_band(result: MTFFitResult) -> MTFFitResult:
    """Take the errors off a curve that is no maximum of the likelihood that they are from."""

    def unknown(values: Tensor) -> Tensor:
        return torch.full_like(values, torch.nan)

    return replace(
        result,
        curve_covariance=unknown(result.curve_covariance),
        standard_errors=unknown(result.standard_errors),
        covariance=unknown(result.covariance),
        s0_error=result.s0_error and torch.nan,
        read_noise_error=result.read_noise_error and torch.nan,
    )


def whiteness(
    spectrum: RingSpectrum,
    model: Tensor,  # (rings,)
    n_parameters: int = 0,
) -> Whiteness:
    r"""Test whether measured over fitted power is 1 at all frequencies.

    .. math:: \chi^2 = \sum_b 2\nu_b (r_b - 1 - \ln r_b), \qquad
              r_b = \frac{1}{\nu_b} \sum_{k \in b} \nu_k \frac{I_k}{S_k}

    The plain sum of 2 I/S over all ordinates would test nothing: a free s0 makes it equal to its
    expectation.

    Parameters
    ----------
    spectrum : RingSpectrum
        Measured.
    model : Tensor
        Fitted power in the same rings.
    n_parameters : int
        Fitted directions.

    Returns
    -------
    Whiteness
        Bins of 50 ordinates or more, 100 at most.

    References
    ----------
    McCullagh & Nelder, Generalized Linear Models (1989), section 8.3.2: deviance of the Gamma
    distribution.
    """
    ratio = RingSpectrum(spectrum.frequency, spectrum.power / model, spectrum.ordinates)
    wanted = int(float(spectrum.ordinates.sum()) / _ORDINATES_PER_BIN)
    wanted = max(min(wanted, _MOST_BINS), n_parameters + 1)
    bins = merge_rings(ratio, equal_bins(ratio, wanted))
    deviance = 2 * bins.ordinates * (bins.power - 1 - torch.log(bins.power))
    degrees = max(len(deviance) - n_parameters, 1)
    total = deviance.sum()
    chance = torch.special.gammaincc(torch.tensor(degrees / 2, dtype=total.dtype), total / 2)
    return Whiteness(
        bins.frequency,
        bins.power,
        bins.ordinates.rsqrt(),
        float(total),
        degrees,
        float(chance),
    )


def _observed(
    plain: PlainParameters,
    power: Tensor,
    derivatives: Tensor,
    spectrum: RingSpectrum,
    expected: Covariance,
) -> Covariance:
    """Covariance from the curvature of the likelihood, where it is a maximum of full rank."""
    if not len(plain.values):
        return expected
    score = derivatives.T @ (spectrum.ordinates * (1 - spectrum.power / power.detach()))
    # At a maximum inside, the score is nothing; at a bound it pushes outwards.
    if float(score @ expected.matrix @ score) > 0.01 or expected.rank < len(plain.values):
        return expected
    evaluate = plain.function(lambda module, q: module(q), spectrum.frequency)
    hessian = torch.autograd.functional.hessian(
        lambda v: whittle_loss(spectrum, evaluate(v)), plain.values
    )
    observed = invert_information(hessian)
    return observed if observed.rank == expected.rank else expected


def _reached(derivatives: Tensor, ordinates: Tensor, values: Tensor) -> Tensor:
    """Tell which parameters would show in the data if they changed a thousandfold, as 0 or 1.

    The others, as the width of a component without weight, would get errors of 10^20 that are
    rounding, and carry them into the curve.
    """
    information = (ordinates[:, None] * derivatives**2).sum(0)
    reach = _FARTHEST * values.abs().clamp(min=1.0)
    return (information * reach**2 > 1).to(derivatives)


def _mtf(module: nn.Module, frequency: Tensor) -> Tensor:
    """Evaluate the curve of a `NoiseSpectrum`."""
    curve = module.get_submodule("mtf")
    if not isinstance(curve, MTF):
        raise TypeError(f"mtf must be an MTF, got {type(curve).__name__}")
    return curve(frequency)


def _on_cpu(model: NoiseSpectrum) -> NoiseSpectrum:
    """Return the model itself, or a copy on the CPU."""
    if model.s0.device.type == "cpu":
        return model
    import copy

    return copy.deepcopy(model).cpu()
