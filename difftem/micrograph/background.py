"""Where a micrograph shows only background: local variance and Thon rings of its windows."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius

_BLOCK = 8  # pixels whose mean averages the noise of single electrons away
_BAND = (0.03, 0.15)  # cycles/pixel in which Thon rings are looked for
_DEGREE = 3  # of the polynomial in ω that stands for everything smooth
_CHUNK = 32  # windows that are transformed at once
_QUIET = 0.25  # fraction of the windows that says what background looks like
_CONTRAST_LIMIT = 1.5  # times that of the quiet windows
_MEAN_LIMIT = 0.02  # relative deviation of the mean that is always allowed
MIN_SIZE = 32


@dataclass(frozen=True)
class Windows:
    """Scores of all windows of a field.

    Attributes
    ----------
    corner : Tensor
        First row and column, shape ``(n, 2)``.
    mean : Tensor
        Grey value, shape ``(n,)``.
    contrast : Tensor
        Standard deviation of 8 x 8 block means over the mean, shape ``(n,)``.
    rings : Tensor
        Mean square ripple of the power spectrum over frequency, relative to the power; around 0,
        of either sign, without Thon rings. Shape ``(n,)``.
    score : Tensor
        0 for the flattest window to 1, shape ``(n,)``; infinite where a window is refused.

    Examples
    --------
    >>> import torch
    >>> from difftem.micrograph.background import score_windows
    >>> generator = torch.Generator().manual_seed(0)
    >>> image = torch.poisson(torch.full((96, 96), 20.0), generator=generator)
    >>> windows = score_windows(image, bad=torch.zeros(96, 96, dtype=torch.bool), size=32)
    >>> len(windows.corner), windows.corner[0].tolist(), round(windows.mean.mean().item())
    (25, [0, 0], 20)
    """

    corner: Tensor
    mean: Tensor
    contrast: Tensor
    rings: Tensor
    score: Tensor


def score_windows(
    image: Tensor,  # (y, x)
    bad: Tensor,  # (y, x) bool
    size: int,
    max_bad: float = 1e-3,
) -> Windows:
    r"""Score windows at half their size apart: the lower, the more they are plain background.

    Two statistics, neither of which needs the detector's MTF:

    - *contrast*: the standard deviation of the means of 8 x 8 blocks, over the window's mean:
      local variance at low frequency, where particles, contamination, edges of the carbon film
      and gradients have theirs;
    - *rings*: the ripple of the logarithm of the power spectrum about a cubic in ω, from 0.03 to
      0.15 cycles/pixel, where those of usual defocus are wide enough for a window to resolve.
      The spectrum is averaged over rings in two halves, ω_x ω_y > 0 and < 0,
      and the ripples of the two multiplied: noise is independent in them and cancels, Thon rings
      are the same in both. MTF and falling envelopes are smooth and cancel with the cubic. Each
      ring weighs as many frequencies as it has.

    The score is the mean of the two ranks, so that no unit and no outlier counts. What background
    looks like is learned from the best quarter of the windows; a window is refused whose contrast
    is above 1.5 times theirs, whose mean is off by 2 % and 5 robust standard deviations (carbon,
    thick ice, holes), or which has too many bad pixels.

    Picking by contrast favours windows whose noise below 0.06 cycles/pixel happens to be low, by
    a few per cent of the power there; higher frequencies are untouched.

    Parameters
    ----------
    image : Tensor
        Grey values, finite.
    bad : Tensor
        Bad pixels that were replaced.
    size : int
        Side of the windows in pixels, at least 32.
    max_bad : float
        Largest fraction of bad pixels.

    Returns
    -------
    Windows
        All windows, refused ones too.

    Examples
    --------
    >>> import torch
    >>> from difftem.micrograph.background import score_windows
    >>> rate = torch.full((128, 128), 20.0)
    >>> rate[:, 96:] = 10.0  # carbon
    >>> image = torch.poisson(rate, generator=torch.Generator().manual_seed(0))
    >>> windows = score_windows(image, bad=torch.zeros(128, 128, dtype=torch.bool), size=32)
    >>> refused = windows.score.isinf()
    >>> windows.corner[refused][:, 1].unique().tolist()  # the columns where those windows begin
    [80, 96]
    """
    rows, columns = (_starts(n, size) for n in image.shape)
    corner = torch.cartesian_prod(rows, columns).reshape(-1, 2)
    parts = [
        _statistics(torch.stack([image[y : y + size, x : x + size] for y, x in chunk.tolist()]))
        for chunk in corner.split(_CHUNK)
    ]
    mean, contrast, rings = (torch.cat(part) for part in zip(*parts, strict=True))
    share = torch.stack(
        [bad[y : y + size, x : x + size].double().mean() for y, x in corner.tolist()]
    )
    score = (_rank(contrast) + _rank(rings)) / 2
    quiet = score.argsort(stable=True)[: max(4, math.ceil(_QUIET * len(score)))]
    usual = mean[quiet].median()
    spread = 1.4826 * (mean[quiet] - usual).abs().median()
    allowed = torch.maximum(_MEAN_LIMIT * usual.abs(), 5 * spread)
    refused = (share > max_bad) | ((mean - usual).abs() > allowed)
    refused |= contrast > _CONTRAST_LIMIT * contrast[quiet].median()
    return Windows(corner, mean, contrast, rings, score.masked_fill(refused, math.inf))


def pick_windows(windows: Windows, size: int, n: int) -> list[int]:
    """Take windows from the best on, none over another.

    Parameters
    ----------
    windows : Windows
        From `score_windows`.
    size : int
        Side of the windows in pixels.
    n : int
        How many, if there are so many.

    Returns
    -------
    list of int
        Indices, best first.

    Examples
    --------
    >>> import torch
    >>> from difftem.micrograph.background import pick_windows, score_windows
    >>> generator = torch.Generator().manual_seed(0)
    >>> image = torch.poisson(torch.full((96, 96), 20.0), generator=generator)
    >>> windows = score_windows(image, bad=torch.zeros(96, 96, dtype=torch.bool), size=32)
    >>> len(pick_windows(windows, size=32, n=4))  # none over another
    4
    """
    taken: list[int] = []
    for index in windows.score.argsort(stable=True).tolist():
        if len(taken) == n or not math.isfinite(windows.score[index]):
            break
        distance = (windows.corner[taken] - windows.corner[index]).abs().amax(-1)
        if bool((distance >= size).all()):
            taken.append(index)
    return taken


def _starts(n: int, size: int) -> Tensor:
    """First pixels of windows half a window apart, the last one at the end."""
    starts = list(range(0, n - size + 1, max(1, size // 2)))
    return torch.tensor(sorted({*starts, n - size}))


def _statistics(windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, contrast and rings of windows of shape (n, s, s)."""
    mean = windows.mean((-2, -1))
    whole = windows.shape[-1] // _BLOCK * _BLOCK
    blocks = windows[:, :whole, :whole].unfold(1, _BLOCK, _BLOCK).unfold(2, _BLOCK, _BLOCK)
    contrast = blocks.mean((-2, -1)).std((-2, -1)) / mean.abs()
    return mean.double(), contrast.double(), _rings(windows - mean[:, None, None])


def _rings(windows: Tensor) -> Tensor:
    """Ripple of the logarithm of the radial power spectrum that two halves of it share."""
    size = windows.shape[-1]
    taper = torch.hann_window(size, periodic=False, dtype=windows.dtype)
    spectrum = torch.fft.rfft2(windows * taper[:, None] * taper)
    power = spectrum.real.double() ** 2 + spectrum.imag.double() ** 2
    qy, qx = frequency_grid((size, size), 1.0, half=True)
    ring = (radius((qy, qx)) * size).round().long()
    first, last = math.ceil(_BAND[0] * size), math.floor(_BAND[1] * size)
    frequency = torch.linspace(-1, 1, last - first + 1, dtype=torch.float64)
    # The number of frequencies in a ring grows with its radius.
    weight = torch.arange(first, last + 1, dtype=torch.float64).sqrt()
    weight = weight / weight.square().sum().sqrt()
    powers = frequency[:, None] ** torch.arange(_DEGREE + 1)
    basis = torch.linalg.qr(weight[:, None] * powers).Q
    ripples = []
    for half in ((qy > 0) & (qx > 0), (qy < 0) & (qx > 0)):
        inside = half & (ring >= first) & (ring <= last)
        index = ring[inside] - first
        total = power.new_zeros(len(power), len(frequency)).index_add(1, index, power[:, inside])
        count = torch.bincount(index, minlength=len(frequency))
        profile = weight * torch.log(total.clamp(min=1e-300) / count)
        ripples.append(profile - profile @ basis @ basis.T)
    return (ripples[0] * ripples[1]).sum(-1)


def _rank(values: Tensor) -> Tensor:
    """Rank of each value, 0 for the lowest to 1."""
    order = values.argsort(stable=True)
    rank = torch.empty_like(values)
    rank[order] = torch.linspace(0, 1, len(values), dtype=values.dtype)
    return rank
