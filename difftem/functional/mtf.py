"""Modulation transfer functions: families of curves over frequency, and their application."""

import torch
from torch import Tensor


def lorentzians(
    frequency: Tensor,  # (...) cycles/pixel
    a: Tensor,
    b: Tensor,
    c: Tensor,
    alpha: Tensor,
    beta: Tensor,
) -> Tensor:  # (...)
    r"""Two Lorentzians and a constant, normalised to 1 at DC.

    .. math:: H(\omega) = \frac{1}{a+b+c}
              \left(\frac{a}{1+\alpha\omega^2} + \frac{b}{1+\beta\omega^2} + c\right)

    Parameters
    ----------
    frequency : Tensor
        ω in cycles/pixel (Nyquist 0.5).
    a, b, c : Tensor
        Weights, scalars; only their ratios matter.
    alpha, beta : Tensor
        Widths in pixel², scalars.

    Returns
    -------
    Tensor
        H, shape of `frequency`.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.mtf import lorentzians
    >>> frequency = torch.tensor([0.0, 0.25, 0.5])  # cycles/pixel: Nyquist is 0.5
    >>> mtf = lorentzians(frequency, *torch.tensor([0.7, 0.2, 0.1, 10.0, 40.0]))
    >>> [round(value, 3) for value in mtf.tolist()]
    [1.0, 0.588, 0.318]
    """
    w2 = frequency**2
    return (a / (1 + alpha * w2) + b / (1 + beta * w2) + c) / (a + b + c)


def rullgard(
    frequency: Tensor,  # (...) cycles/pixel
    a: Tensor,
    b: Tensor,
    c: Tensor,
    alpha: Tensor,
    beta: Tensor,
    p: Tensor,
    q: Tensor,
) -> Tensor:  # (...)
    r"""Two generalised Lorentzians with exponents, as in TEM-simulator.

    .. math:: F(\alpha, p) = \frac{2^p y^{-p}}{2 + (2^p - 2) y^{-p}}, \quad
              y = 1 + \alpha\omega^2, \qquad
              H = \frac{a F(\alpha, p) + b F(\beta, q) + c}{a + b + c}

    With ``p = q = 1`` it is `lorentzians`.

    Parameters
    ----------
    frequency : Tensor
        ω in cycles/pixel.
    a, b, c : Tensor
        Weights, scalars.
    alpha, beta : Tensor
        Widths in pixel², scalars.
    p, q : Tensor
        Exponents, positive scalars.

    Returns
    -------
    Tensor
        H, shape of `frequency`.

    References
    ----------
    TEM-simulator 1.3 manual, parameters ``mtf_p`` and ``mtf_q``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.mtf import rullgard
    >>> a, b, c, alpha, beta, q = torch.tensor([1.0, 0.0, 0.0, 12.0, 12.0, 1.0])
    >>> curves = [rullgard(torch.tensor(0.5), a, b, c, alpha, beta, p, q) for p in (q, 2 * q)]
    >>> [round(value.item(), 3) for value in curves]  # at Nyquist, for p = 1 and 2
    [0.25, 0.118]
    """
    w2 = frequency**2
    first = _generalised_lorentzian(1 + alpha * w2, p)
    second = _generalised_lorentzian(1 + beta * w2, q)
    return (a * first + b * second + c) / (a + b + c)


def gauss_lorentz_sinc(
    frequency: Tensor,  # (...) cycles/pixel
    weight: Tensor,
    width: Tensor,
    alpha: Tensor,
) -> Tensor:  # (...)
    r"""Gaussian and Lorentzian spread of the signal, seen through a square pixel.

    .. math:: H(\omega) = \left(w\, e^{-\omega^2 / 2 s^2}
              + \frac{1 - w}{1+\alpha\omega^2}\right) \operatorname{sinc}(\omega)

    Parameters
    ----------
    frequency : Tensor
        Radial ω in cycles/pixel; the pixel's sinc is taken along a pixel axis.
    weight : Tensor
        w in [0, 1], scalar.
    width : Tensor
        s in cycles/pixel, scalar.
    alpha : Tensor
        In pixel², scalar.

    Returns
    -------
    Tensor
        H, shape of `frequency`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.mtf import gauss_lorentz_sinc
    >>> weight, width, alpha = torch.tensor([1.0, 1e6, 0.0])  # the signal does not spread
    >>> round(gauss_lorentz_sinc(torch.tensor(0.5), weight, width, alpha).item(), 3)  # 2 / π
    0.637
    """
    w2 = frequency**2
    spread = weight * torch.exp(-w2 / (2 * width**2)) + (1 - weight) / (1 + alpha * w2)
    return spread * torch.sinc(frequency)


def log_spline(
    frequency: Tensor,  # (...) cycles/pixel
    log_values: Tensor,  # (n_knots - 1,)
    max_frequency: float = 0.5,
) -> Tensor:  # (...)
    r"""Natural cubic spline of :math:`\ln H` on equidistant knots, :math:`\ln H(0) = 0`.

    Beyond the last knot :math:`\ln H` goes on linearly.

    Parameters
    ----------
    frequency : Tensor
        ω in cycles/pixel.
    log_values : Tensor
        :math:`\ln H` at the knots after the first, shape ``(n_knots - 1,)``.
    max_frequency : float
        Position of the last knot in cycles/pixel.

    Returns
    -------
    Tensor
        H > 0, shape of `frequency`.

    References
    ----------
    de Boor, A Practical Guide to Splines (2001), chapter IV.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.mtf import log_spline
    >>> log_values = torch.tensor([0.8, 0.5]).log()  # H at 0.25 and 0.5 cycles/pixel
    >>> curve = log_spline(torch.tensor([0.0, 0.25, 0.5]), log_values)
    >>> [round(value, 3) for value in curve.tolist()]
    [1.0, 0.8, 0.5]
    """
    values = torch.cat([log_values.new_zeros(1), log_values])
    n = len(values)
    step = max_frequency / (n - 1)
    curvature = _natural_curvature(values, step)
    position = frequency / step
    cell = torch.clamp(torch.floor(position), 0, n - 2)
    t = position - cell
    inside = torch.clamp(t, max=1.0)
    i = cell.long()
    left, right = values[i], values[i + 1]
    m0, m1 = curvature[i], curvature[i + 1]
    u = 1 - inside
    cubic = m0 * (u**3 - u) + m1 * (inside**3 - inside)
    spline = u * left + inside * right + step**2 / 6 * cubic
    end_slope = values[-1] - values[-2] + step**2 / 6 * (curvature[-2] + 2 * curvature[-1])
    return torch.exp(spline + (t - inside) * end_slope)


def tabulated(
    frequency: Tensor,  # (...) cycles/pixel
    knots: Tensor,  # (n,) cycles/pixel
    values: Tensor,  # (n,)
) -> Tensor:  # (...)
    """Linear interpolation of a measured curve; beyond its end it goes on linearly to zero.

    Parameters
    ----------
    frequency : Tensor
        In cycles/pixel.
    knots : Tensor
        Increasing frequencies of the table, starting at 0.
    values : Tensor
        MTF at the knots; divided by its first value.

    Returns
    -------
    Tensor
        H, shape of `frequency`, with H(0) = 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.mtf import tabulated
    >>> knots, values = torch.tensor([0.0, 0.25, 0.5]), torch.tensor([1.0, 0.8, 0.5])
    >>> at = torch.tensor([0.125, 0.75, 1.0])  # the last two are beyond the table
    >>> [round(value, 3) for value in tabulated(at, knots, values).tolist()]
    [0.9, 0.2, 0.0]
    """
    knots = knots.to(frequency).contiguous()
    i = torch.clamp(torch.searchsorted(knots, frequency.contiguous()), 1, len(knots) - 1)
    t = (frequency - knots[i - 1]) / (knots[i] - knots[i - 1])
    curve = values[i - 1] + t * (values[i] - values[i - 1])
    return torch.clamp(curve, min=0.0) / values[0]


def apply_transfer(
    image: Tensor,  # (..., y, x)
    transfer: Tensor,  # (..., y, x // 2 + 1)
) -> Tensor:  # (..., y, x)
    """Filter a real image with a transfer function on the half grid of a real FFT.

    Parameters
    ----------
    image : Tensor
        Real, shape ``(..., y, x)``; periodic.
    transfer : Tensor
        Real, from one of the families on `difftem.functional.grid.frequency_grid`.

    Returns
    -------
    Tensor
        Shape of `image`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.mtf import apply_transfer
    >>> stripes = torch.tensor([[0.0, 2.0, 0.0, 2.0]] * 4)  # at Nyquist, the mean is 1
    >>> transfer = torch.tensor([[1.0, 0.8, 0.5]] * 4)  # at qx of 0, 0.25 and 0.5 cycles/pixel
    >>> [round(value, 3) for value in apply_transfer(stripes, transfer)[0].tolist()]
    [0.5, 1.5, 0.5, 1.5]
    """
    spectrum = torch.fft.rfft2(image) * transfer
    return torch.fft.irfft2(spectrum, s=image.shape[-2:])


def _generalised_lorentzian(y: Tensor, p: Tensor) -> Tensor:
    """Rullgård's F: 1 at y = 1, falling as y^-p."""
    power = y**-p
    return 2**p * power / (2 + (2**p - 2) * power)


def _natural_curvature(values: Tensor, step: float) -> Tensor:  # (n,)
    """Second derivatives of the natural cubic spline through equidistant values."""
    n = len(values)
    system = torch.eye(n, dtype=values.dtype, device=values.device)
    inner = torch.arange(1, n - 1, device=values.device)
    system[inner, inner - 1], system[inner, inner], system[inner, inner + 1] = 1.0, 4.0, 1.0
    right = torch.cat(
        [
            values.new_zeros(1),
            6 / step**2 * (values[2:] - 2 * values[1:-1] + values[:-2]),
            values.new_zeros(1),
        ]
    )
    return torch.linalg.solve(system, right)
