"""Fourier shell correlation (FSC) of two volumes, and the frequencies that it crosses values at."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from difftem.functional.fourier_ring import ring_correlation
from difftem.functional.grid import check_pixel_size, frequency_grid, radius

_ROWS = 1 << 22  # entries of a half grid that are summed at once, so that memory is bounded


class ShellCorrelation(NamedTuple):
    """How far two volumes agree, shell by shell.

    Attributes
    ----------
    frequency : Tensor
        Middles of the shells in 1/Å, rising, shape ``(n_shells,)``.
    correlation : Tensor
        Between -1 and 1, shape ``(n_shells,)``.
    n : Tensor
        Weight of the Fourier voxels of each shell, both halves of space: where two volumes have
        nothing in common the correlation has a standard deviation of 1/√n.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.fourier_shell import shell_correlation
    >>> volume = torch.randn(8, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> fsc = shell_correlation(volume, volume, pixel_size=2.0)
    >>> fsc.frequency  # 1/Å
    tensor([0.0625, 0.1250, 0.1875, 0.2500], dtype=torch.float64)
    >>> fsc.n.int().tolist()  # Fourier voxels in each shell
    [18, 62, 98, 75]
    """

    frequency: Tensor
    correlation: Tensor
    n: Tensor


def shell_products(
    first: Tensor,  # (z, y, x)
    second: Tensor,  # (z, y, x)
    n_shells: int,
    mask: Tensor | None = None,  # (z, y, x // 2 + 1)
) -> Tensor:  # (4, n_shells)
    """Sum cross spectrum and both power spectra over shells, as `ring_products` does over rings.

    Shell i holds frequencies within half a step of (i + 1) / (2 n_shells) cycles/voxel, up to
    Nyquist; `mask` weighs frequencies on the grid of a real transform. The fourth row is the weight
    of the voxels. Sums of several volumes may be added.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.fourier_shell import shell_products
    >>> volume = torch.randn(8, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> cross, first, second, n = shell_products(volume, -volume, n_shells=4)
    >>> torch.allclose(cross, -first), n.int().tolist()
    (True, [18, 62, 98, 75])
    """
    shape = _checked_shape(first, second, mask)
    grid = frequency_grid(shape, 1.0, half=True, device=first.device)
    a, b = (torch.fft.rfftn(_without_mean(each)) for each in (first, second))
    mirrored = torch.full((shape[2] // 2 + 1,), 2.0, dtype=torch.float64, device=first.device)
    mirrored[0] = 1.0  # the half that a real transform leaves out is the mirror of the others
    if shape[2] % 2 == 0:
        mirrored[-1] = 1.0
    sums = torch.zeros(4, n_shells, dtype=torch.float64, device=first.device)
    step = max(1, _ROWS // a[0].numel())
    for start in range(0, shape[0], step):
        rows = slice(start, start + step)
        q = radius((grid[0][rows], grid[1], grid[2]))
        index = (q * 2 * n_shells).round().long() - 1
        inside = (index >= 0) & (index < n_shells) & (q <= 0.5)
        weight = mirrored.expand_as(q)
        if mask is not None:
            weight = weight * mask[rows].to(weight)
        weight, index = weight[inside], index[inside]
        one, other = a[rows][inside], b[rows][inside]
        parts = ((one * other.conj()).real, one.abs().square(), other.abs().square())
        for total, part in zip(sums, parts, strict=False):
            total.index_add_(0, index, part.double() * weight)
        sums[3].index_add_(0, index, weight)
    return sums


def shell_correlation(
    first: Tensor,  # (z, y, x)
    second: Tensor,  # (z, y, x)
    pixel_size: float,  # Å
    mask: Tensor | None = None,  # (z, y, x // 2 + 1)
    n_shells: int | None = None,
) -> ShellCorrelation:
    r"""Correlate two volumes shell by shell.

    .. math:: \mathrm{FSC}(q) = \frac{\sum_{|k| \in q} w_k \Re (A_k B_k^*)}
              {\sqrt{\sum w_k |A_k|^2 \sum w_k |B_k|^2}}

    Two volumes with the same signal and independent noise have SSNR / (1 + SSNR), where SSNR is the
    ratio of signal power to noise power in one of them; a noisy volume and its truth have the
    square root of that.

    Parameters
    ----------
    first, second : Tensor
        Of one shape and any units, ``(z, y, x)``; nothing is windowed or aligned here.
    pixel_size : float
        Of cubic voxels in Å.
    mask : Tensor, optional
        Weights w of frequencies on the grid of `torch.fft.rfftn`: as
        `difftem.tomography.wedge.wedge_mask` has them, what a tilt series has seen. Default: all.
    n_shells : int, optional
        From 0 to Nyquist. Default: half of the longest side, one frequency step each.

    Returns
    -------
    ShellCorrelation
        Of shells that have a frequency in them.

    References
    ----------
    Harauz & van Heel, Optik 73 (1986) 146; Rosenthal & Henderson, J. Mol. Biol. 333 (2003) 721 for
    the thresholds.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.fourier_shell import shell_correlation
    >>> signal, *noise = torch.randn(3, 32, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> fsc = shell_correlation(signal + noise[0], signal + noise[1], pixel_size=2.0)
    >>> round(fsc.correlation[4:].mean().item(), 1)  # as much signal as noise
    0.5
    """
    check_pixel_size(pixel_size)
    shells = max(first.shape) // 2 if n_shells is None else n_shells
    if shells < 1:
        raise ValueError(f"n_shells must be at least 1, got {shells}")
    sums = shell_products(first, second, shells, mask)
    there = sums[3] > 0
    frequency = torch.arange(1, shells + 1, dtype=torch.float64, device=sums.device)
    correlation = ring_correlation(sums[:3])
    return ShellCorrelation(
        (frequency / (2 * shells * pixel_size))[there], correlation[there], sums[3][there]
    )


def crossing(
    frequency: Tensor,  # (n,)
    correlation: Tensor,  # (n,)
    threshold: float,
    which: Literal["first", "last"] = "first",
) -> float:
    """Frequency where a curve falls below a threshold, interpolated linearly.

    Parameters
    ----------
    frequency, correlation : Tensor
        Rising in any unit, and what belongs to it, shape ``(n,)``.
    threshold : float
        0.5 against a truth or a reference, 0.143 between halves of the data.
    which : {"first", "last"}
        For the first time, as a resolution is stated; or for the last: the zeros of a contrast
        transfer function make a curve fall and rise before.

    Returns
    -------
    float
        In the unit of `frequency`: 0 where the curve is below from the start (``first``) or
        throughout (``last``), the last frequency where it does not fall below any more.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.fourier_shell import crossing
    >>> frequency = torch.tensor([0.1, 0.2, 0.3, 0.4])  # 1/Å
    >>> correlation = torch.tensor([1.0, 0.6, 0.2, 0.1])
    >>> round(1 / crossing(frequency, correlation, 0.143), 2)  # Å
    2.8
    """
    if frequency.ndim != 1 or frequency.shape != correlation.shape or len(frequency) == 0:
        raise ValueError(
            "frequency and correlation must have one shape (n,), got "
            f"{tuple(frequency.shape)} and {tuple(correlation.shape)}"
        )
    above = correlation >= threshold
    if which == "first":
        below = torch.nonzero(~above)
        last = int(below[0]) - 1 if len(below) else len(above) - 1
    else:
        reached = torch.nonzero(above)
        last = int(reached[-1]) if len(reached) else -1
    if last < 0:
        return 0.0
    if last == len(above) - 1:
        return float(frequency[-1])
    high, low = float(correlation[last]), float(correlation[last + 1])
    at, after = float(frequency[last]), float(frequency[last + 1])
    return at + (after - at) * (high - threshold) / (high - low)


def _without_mean(volume: Tensor) -> Tensor:
    """Float values whose mean is 0, so that rounding in a transform is that of the contrast."""
    volume = volume if volume.dtype == torch.float64 else volume.float()
    return volume - volume.mean(dtype=torch.float64).to(volume)


def _checked_shape(first: Tensor, second: Tensor, mask: Tensor | None) -> tuple[int, int, int]:
    """Shape that two volumes have, and the mask of their spectra."""
    shapes = f"{tuple(first.shape)} and {tuple(second.shape)}"
    if first.shape != second.shape or first.ndim != 3 or first.numel() == 0:
        raise ValueError(f"volumes must have one shape (z, y, x), got {shapes}")
    nz, ny, nx = first.shape
    half = (nz, ny, nx // 2 + 1)
    if mask is not None and tuple(mask.shape) != half:
        raise ValueError(f"mask must be {half}, as rfftn gives it, got {tuple(mask.shape)}")
    return nz, ny, nx
