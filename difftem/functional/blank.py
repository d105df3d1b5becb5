"""Blank images: what a camera sees of a field that holds nothing but background."""

import math

import torch
from torch import Tensor

from difftem.functional.whitening import radial_transfer

BLOCK = 256  # pixels: side of the blocks among which the quietest are looked for
_QUIET = 0.5  # of the blocks
_RINGS = 48


def background_power(
    values: Tensor,  # (y, x)
    block: int = BLOCK,
) -> tuple[Tensor, Tensor]:  # (rings,) cycles/pixel, (rings,)
    """Radial power spectrum of the quieter half of an image's blocks, 1 for white noise.

    What even these share is background: ice, support, uneven light.

    Parameters
    ----------
    values : Tensor
        Whitened image: noise white, of variance 1.
    block : int
        Side of a block in pixels; smaller images are one block.

    Returns
    -------
    frequency, power : Tensor
        Ring by ring, the power never below 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.blank import background_power
    >>> noise = torch.randn(2, 256, 256, generator=torch.Generator().manual_seed(0))
    >>> uneven = torch.nn.functional.avg_pool2d(noise[:1], 5, stride=1, padding=2)[0]
    >>> frequency, power = background_power(noise[1] + 5 * uneven, block=64)
    >>> bool(power[0] > 10 * power[-1])  # blobs of five pixels, under counting noise
    True
    """
    side = min(block, *values.shape)
    blocks = values.unfold(0, side, side // 2).unfold(1, side, side // 2).reshape(-1, side, side)
    window = torch.hann_window(side, periodic=False, dtype=values.dtype, device=values.device)
    taper = window[:, None] * window
    flat = (blocks - blocks.mean((-2, -1), keepdim=True)) * taper
    power = torch.fft.rfft2(flat).abs().square() / taper.square().sum()
    q = torch.sqrt(
        torch.fft.fftfreq(side, device=values.device)[:, None] ** 2
        + torch.fft.rfftfreq(side, device=values.device) ** 2
    )
    # A window makes the lowest frequencies one; the corners are one, too.
    ring = ((q - 1.5 / side).clamp(min=0) / (0.5 / _RINGS)).long().clamp(max=_RINGS).flatten()
    n = int(ring.max()) + 1
    size = torch.bincount(ring, minlength=n).clamp(min=1).to(values)
    rings = values.new_zeros(len(blocks), n).index_add(1, ring, power.flatten(1)) / size
    centre = values.new_zeros(n).index_add(0, ring, q.flatten().to(values)) / size
    signal = ((rings - 1) * (centre < 0.25) * size).sum(1)
    quiet = signal.argsort()[: max(1, math.ceil(_QUIET * len(blocks)))]
    return centre, rings[quiet].mean(0).clamp(min=1.0)


def blank_exposures(
    shape: tuple[int, int, int],
    electrons: float,
    background: tuple[Tensor, Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:  # (n, y, x)
    """Draw whitened exposures of a blank field.

    Parameters
    ----------
    shape : tuple of int
        ``(n, y, x)``: exposures of one field.
    electrons : float
        Mean electrons per pixel in each exposure.
    background : tuple of Tensor, optional
        Frequencies in cycles/pixel and power of noise and background together, as
        `background_power` gives it for one exposure. Default: counting noise alone.
    generator : torch.Generator, optional
        Source of all randomness.

    Returns
    -------
    Tensor
        Counting noise of variance 1 over a background that the exposures share.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.blank import blank_exposures
    >>> generator = torch.Generator().manual_seed(0)
    >>> exposures = blank_exposures((2, 128, 128), 20.0, generator=generator)
    >>> round(exposures.var().item(), 1)
    1.0
    >>> counts = exposures * 20**0.5 + 20
    >>> bool((counts - counts.round()).abs().max() < 1e-3)  # of whole electrons
    True
    """
    root = math.sqrt(electrons)
    rate = torch.full(shape[1:], electrons)
    if background is not None:
        frequency, power = background
        excess = radial_transfer(frequency, (power - 1).clamp(min=0).sqrt(), shape[1:])
        excess[0, 0] = 0.0
        white = torch.randn(shape[1:], generator=generator)
        field = torch.fft.irfft2(torch.fft.rfft2(white) * excess.to(white), s=shape[1:])
        rate = (rate + root * field).clamp(min=0.0)
    counts = torch.poisson(rate.expand(shape), generator=generator)
    return (counts - electrons) / root
