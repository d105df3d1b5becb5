"""A smooth even curve through the logarithm of a noise spectrum: Gaussian process regression."""

import torch
from torch import Tensor

_ROUGHNESS = torch.logspace(0, 7, 43, dtype=torch.float64)  # standard deviations of d³(ln S)/dq³
_DIFFUSE = 100.0  # standard deviation of coefficients that the prior leaves open
# Standard deviation of the slope of ln S at zero, pixels: those of published cameras are 0 to -1
# but for one of -4; left open, noise rules it.
_SLOPE = 1.0


def smooth_even_curve(
    frequency: Tensor,  # (n,) cycles/pixel
    log_power: Tensor,  # (n,)
    error: Tensor,  # (n,)
    at: Tensor,  # (m,) cycles/pixel
) -> tuple[Tensor, Tensor]:  # (m,), (m,)
    r"""Smooth and continue a radial log spectrum.

    .. math:: \ln S(q) = a + s q + b q^2 + \tau \int_0^q \frac{(q - u)^2}{2} \, dW(u)

    is nearly even at 0 (the slope s is small) and has a third derivative that is white noise. Its
    size τ is the one of the largest likelihood with a, s and b integrated out.

    Parameters
    ----------
    frequency : Tensor
        Where the spectrum is known.
    log_power : Tensor
        Its logarithm.
    error : Tensor
        Standard deviation of `log_power`.
    at : Tensor
        Where the curve is wanted, 0 among others.

    Returns
    -------
    curve : Tensor
        ln S.
    standard_error : Tensor
        Of the curve, given τ.

    References
    ----------
    Wahba, J. R. Stat. Soc. B 40 (1978) 364; Rasmussen & Williams, Gaussian Processes for Machine
    Learning (2006), sections 2.7 and 6.3.
    """
    q, y, s = (each.double() for each in (frequency, log_power, error))
    scale = float(q.max())
    known, wanted = q / scale, at.double() / scale
    middle = y.mean()
    kernel, noise = _integrated(known, known), torch.diag(s**2)
    begin = _polynomial(known, scale)
    steps = _ROUGHNESS * scale**3
    factors = torch.linalg.cholesky(begin @ begin.T + noise + steps[:, None, None] ** 2 * kernel)
    target = (y - middle)[:, None].expand(len(steps), -1, 1)
    white = torch.linalg.solve_triangular(factors, target, upper=False)
    evidence = -0.5 * white.square().sum((-2, -1))
    evidence -= factors.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    best = int(evidence.argmax())
    tau, factor = steps[best] ** 2, factors[best]
    ends = _polynomial(wanted, scale)
    across = tau * _integrated(wanted, known) + ends @ begin.T
    curve = across @ torch.cholesky_solve((y - middle)[:, None], factor)[:, 0]
    half = torch.linalg.solve_triangular(factor, across.T, upper=False)
    own = tau * _integrated(wanted, wanted).diagonal() + ends.square().sum(-1)
    return curve + middle, (own - half.square().sum(0)).clamp(min=0.0).sqrt()


def _polynomial(q: Tensor, scale: float) -> Tensor:  # (n, 3)
    """Columns 1, q and q², each times the prior standard deviation of its coefficient."""
    return torch.stack([torch.full_like(q, _DIFFUSE), _SLOPE * scale * q, _DIFFUSE * q**2], -1)


def _integrated(s: Tensor, t: Tensor) -> Tensor:  # (n, m)
    """Covariance of twice integrated Brownian motion: ∫ (s - u)² (t - u)² / 4 du to the smaller."""
    low = torch.minimum(s[:, None], t[None, :])
    gap = (s[:, None] - t[None, :]).abs()
    return low**5 / 20 + gap * low**4 / 8 + gap**2 * low**3 / 12
