"""A smooth curve through the noise of a camera, continued to zero frequency."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.micrograph.noise_rings import NoiseRings

LOWEST = 0.06  # cycles/pixel: below are specimen, ice and uneven illumination
_LOWEST_IN_DIFFERENCES = 0.02  # Hann's window spreads what is at zero so far
NYQUIST = 0.5
ICE_RING = (0.22, 0.31)  # cycles/Å: vitreous ice diffracts around 3.7 Å
_MOST_TERMS = 6
# ln S is a polynomial in ln(1 + κ q²) / ln(1 + κ / 4): in q² itself (a Gaussian spread) for κ = 0.
_BENDS = (0.0, 10.0, 40.0)  # pixel²
_WHITE = 0.06  # of power: what ice leaves beside its ring, and a gain reference
_STEPS = 30


@dataclass(frozen=True)
class NoiseCurve:
    """Noise power of a camera over frequency.

    Parameters
    ----------
    frequency : Tensor
        Cycles/pixel from 0 to the corner of the spectrum, shape ``(n,)``.
    power : Tensor
        Grey values squared, shape ``(n,)``.
    level_error : float
        Standard deviation of the power at zero frequency over that power: of the noise that was
        measured, and of how the curve is continued to zero.
    white : bool
        The power is the same at all frequencies.
    lowest : float
        Cycles/pixel; the curve is measured from there on.
    misfit : float
        Root mean square of (measured - curve) / error; about 1 where the curve fits.
    """

    frequency: Tensor
    power: Tensor
    level_error: float
    white: bool
    lowest: float
    misfit: float

    @property
    def level(self) -> float:
        """Power at zero frequency, grey values squared."""
        return float(self.power[0])


def fit_noise_curve(
    rings: NoiseRings,
    pixel_size: float | None = None,  # Å
) -> NoiseCurve:
    r"""Fit a smooth radial curve to the noise, without the ring of ice.

    Rings are Gamma distributed around

    .. math:: \ln S(q) = \sum_j c_j u^j, \quad
              u = \frac{\ln(1 + \kappa q^2)}{\ln(1 + \kappa / 4)}

    with 1 to 6 terms and κ of 0, 10 or 40 pixel², weighted by Akaike's criterion. A curve that
    stays within 6 % is taken for white.

    Parameters
    ----------
    rings : NoiseRings
        Measured.
    pixel_size : float, optional
        Å. Without it, or in differences, nothing is cut out.

    Returns
    -------
    NoiseCurve
        On the frequencies of the rings and 0.

    References
    ----------
    McCullagh & Nelder, Generalized Linear Models (1989), chapter 8; Burnham & Anderson, Model
    Selection and Multimodel Inference (2002), section 4.3.
    """
    lowest = _LOWEST_IN_DIFFERENCES if rings.differences else LOWEST
    keep = (rings.frequency >= lowest) & (rings.frequency <= NYQUIST)
    if pixel_size is not None and not rings.differences:
        low, high = (edge * pixel_size for edge in ICE_RING)
        keep &= (rings.frequency < low) | (rings.frequency > high)
    q, power, error = rings.frequency[keep], rings.power[keep], rings.relative_error[keep]
    out = torch.cat([q.new_zeros(1), rings.frequency])
    fits = [
        _polynomial(q, power, error, bend, terms, out)
        for terms in range(1, _MOST_TERMS + 1)
        for bend in (_BENDS if terms > 1 else _BENDS[:1])
    ]
    deviance = torch.tensor([fit.criterion for fit in fits], dtype=torch.float64)
    weight = torch.softmax(-0.5 * deviance, 0)
    curves = torch.stack([fit.log_power for fit in fits])
    log_power = weight @ curves
    flat = fits[0]
    measured = (out >= lowest) & (out <= NYQUIST)
    white = bool((curves[0] - log_power)[measured].abs().max() < _WHITE)
    if white:
        log_power, level_error = flat.log_power, flat.level_error
    else:
        spread = weight @ (curves[:, 0] - log_power[0]) ** 2
        own = weight @ torch.tensor([fit.level_error**2 for fit in fits], dtype=torch.float64)
        level_error = float((own + spread).sqrt())
    fitted = torch.exp(log_power[1:][keep])
    misfit = float((((power / fitted - 1) / error) ** 2).mean().sqrt())
    smooth = torch.exp(log_power)
    beyond = out > NYQUIST
    if not white:
        smooth[beyond] = rings.power[beyond[1:]]
    return NoiseCurve(out, smooth, level_error * max(1.0, misfit), white, lowest, misfit)


@dataclass(frozen=True)
class _Fit:
    log_power: Tensor
    level_error: float
    criterion: float


def _polynomial(
    q: Tensor, power: Tensor, error: Tensor, bend: float, terms: int, out: Tensor
) -> _Fit:
    """Maximise the Gamma likelihood by Fisher scoring."""

    def basis(at: Tensor) -> Tensor:
        square = at**2
        u = torch.log1p(bend * square) / torch.log1p(torch.tensor(bend / 4)) if bend else 4 * square
        return torch.stack([u**j for j in range(terms)], -1).double()

    design, shape = basis(q), 1 / error**2
    information = (design * shape[:, None]).T @ design
    factor = torch.linalg.cholesky(information)
    values = torch.log(power)
    solution = torch.cholesky_solve((design.T @ (shape * values))[:, None], factor)[:, 0]
    for _ in range(_STEPS):
        score = design.T @ (shape * (power / torch.exp(design @ solution) - 1))
        step = torch.cholesky_solve(score[:, None], factor)[:, 0]
        solution = solution + step
        if float(score @ step) < 1e-8:
            break
    ratio = power / torch.exp(design @ solution)
    deviance = 2 * float((shape * (ratio - 1 - torch.log(ratio))).sum())
    n = len(q)
    criterion = deviance + 2 * terms + 2 * terms * (terms + 1) / max(n - terms - 1, 1)
    zero = torch.cholesky_inverse(factor)[0, 0]
    return _Fit(basis(out) @ solution, float(zero.sqrt()), criterion)
