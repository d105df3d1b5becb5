"""Wiener's filter in overlapping windows, frequency by frequency: for lattices."""

import torch
from torch import Tensor
from torch.nn import functional as F

_SMOOTH = (0.166, 0.662, 0.166)  # of neighbouring frequencies: a lattice's peaks are that sharp
_SURE = 8.0  # square of the signal's power at which half of it is kept
_EDGE = 0.08  # of the cutoff


def window_wiener(
    values: Tensor,  # (b, y, x)
    side: int,
    cutoff: float = 0.5,  # cycles/pixel
) -> Tensor:  # (b, y, x)
    r"""Filter whitened images by the power that each frequency has in a window.

    In windows of Hann's shape that overlap by half,

    .. math:: G = \frac{S}{1 + S} \, \frac{S^2}{S^2 + 8}, \qquad S = \max(\bar P - 1, 0)

    with the power P averaged over next neighbours, which in noise alone is 1 ± 0.7: the second
    factor keeps noise out. Other than radial gains, these know the peaks of a lattice. Derivatives
    take G for given: they are the weights with which the filter averages.

    Parameters
    ----------
    values : Tensor
        White noise of variance 1 and a signal, shape ``(b, y, x)``.
    side : int
        Of the windows in pixels, even.
    cutoff : float
        Beyond it there is no signal.

    Returns
    -------
    Tensor
        Estimate of the signal; the mean of every window stays.

    References
    ----------
    Wiener (1949), as of `difftem.functional.wiener.wiener_gain`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.window_wiener import window_wiener
    >>> lattice = 2 * torch.cos(torch.arange(64) * torch.pi / 4).expand(1, 64, 64)
    >>> noisy = lattice + torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> found = window_wiener(noisy, side=32)
    >>> [round((image - lattice).square().mean().item(), 1) for image in (noisy, found)]
    [1.0, 0.0]
    """
    b, ny, nx = values.shape
    step = side // 2
    far = [step + (-n) % step for n in (ny, nx)]
    mode = "reflect" if max(*far, step) < min(ny, nx) else "replicate"
    padded = F.pad(values[:, None], (step, far[1], step, far[0]), mode=mode)
    shape = (padded.shape[-2], padded.shape[-1])
    slope = torch.hann_window(side, dtype=values.dtype, device=values.device).sqrt()
    window = slope[:, None] * slope
    square = window.square()
    pieces = padded[:, 0].unfold(1, side, step).unfold(2, side, step)
    mean = (pieces * square).sum((-1, -2), keepdim=True) / square.sum()
    spectrum = torch.fft.rfft2((pieces - mean) * window) / square.sum().sqrt()
    gain = _gain((spectrum.real.square() + spectrum.imag.square()).detach(), cutoff)
    spectrum = spectrum * gain
    found = torch.fft.irfft2(spectrum, s=(side, side)) * square.sum().sqrt() * window
    found = (found + mean * square).reshape(b, -1, side * side).transpose(1, 2)
    whole = F.fold(found, shape, side, stride=step)
    # Squares of windows that overlap by half add up to 1, but at the outermost rims.
    return whole[:, 0, step : step + ny, step : step + nx]


def _gain(power: Tensor, cutoff: float) -> Tensor:  # (..., side, side // 2 + 1)
    """Compute the gain from the power of every window."""
    side, half = power.shape[-2:]
    beside, middle, _ = _SMOOTH
    rows = middle * power + beside * (power.roll(1, -2) + power.roll(-1, -2))
    right = torch.cat([rows[..., 1:], rows[..., -2:-1]], -1)
    left = torch.cat([rows[..., 1:2], rows[..., :-1]], -1)
    signal = ((middle * rows + beside * (left + right)) / sum(_SMOOTH) ** 2 - 1).clamp(min=0)
    square = signal.square()
    y, x = torch.fft.fftfreq(side, device=power.device), torch.fft.rfftfreq(side)[:half]
    radius = torch.hypot(y[:, None], x.to(y))
    band = torch.sigmoid((cutoff - radius) / (0.25 * _EDGE * cutoff)).to(power)
    return signal / (1 + signal) * square / (square + _SURE) * band
