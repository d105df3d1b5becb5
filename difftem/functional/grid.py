"""Sampling grids: pixel coordinates, spatial frequencies, the anti-aliasing band limit."""

import math

import torch
from torch import Tensor


def check_pixel_size(pixel_size: float) -> None:
    """Refuse a sampling that is not a positive, finite length in Å.

    Examples
    --------
    >>> from difftem.functional.grid import check_pixel_size
    >>> check_pixel_size(0.0)
    Traceback (most recent call last):
        ...
    ValueError: pixel_size must be positive, got 0.0 Å
    """
    if not (math.isfinite(pixel_size) and pixel_size > 0):
        raise ValueError(f"pixel_size must be positive, got {pixel_size} Å")


def frequencies(
    n: int,
    pixel_size: float,  # Å
    *,
    half: bool = False,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float64,
) -> Tensor:  # (n,) or (n // 2 + 1,) 1/Å
    """Spatial frequencies of a discrete Fourier transform, DC first.

    Parameters
    ----------
    n : int
        Number of pixels.
    pixel_size : float
        Sampling in Å; 1 gives cycles/pixel.
    half : bool
        Only the non-negative half that a real transform keeps.
    device, dtype
        Of the result.

    Returns
    -------
    Tensor
        Frequencies in 1/Å, shape ``(n,)``, or ``(n // 2 + 1,)`` with `half`.

    Raises
    ------
    ValueError
        If `pixel_size` is not positive.

    Examples
    --------
    >>> from difftem.functional.grid import frequencies
    >>> frequencies(4, pixel_size=2.0).tolist()  # 1/Å; Nyquist is 1/4
    [0.0, 0.125, -0.25, -0.125]
    """
    check_pixel_size(pixel_size)
    make = torch.fft.rfftfreq if half else torch.fft.fftfreq
    return make(n, d=pixel_size, device=device, dtype=dtype)


def frequency_grid(
    shape: tuple[int, ...],
    pixel_size: float,  # Å
    *,
    half: bool = False,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float64,
) -> tuple[Tensor, ...]:  # (ny, 1) and (1, nx), or (nz, 1, 1), (1, ny, 1) and (1, 1, nx); 1/Å
    """Open grid ``(qy, qx)`` or ``(qz, qy, qx)`` of frequencies in 1/Å, ready to broadcast.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` or ``(nz, ny, nx)``.
    pixel_size : float
        Sampling in Å; 1 gives cycles/pixel.
    half : bool
        Keep only the non-negative half of x, as a real transform does.
    device, dtype
        Of the result.

    Returns
    -------
    tuple of Tensor
        One tensor per axis with the other axes of length 1.

    Examples
    --------
    >>> from difftem.functional.grid import frequency_grid
    >>> qy, qx = frequency_grid((4, 6), pixel_size=2.0, half=True)
    >>> tuple(qy.shape), tuple(qx.shape)
    ((4, 1), (1, 4))
    """
    last = len(shape) - 1
    grids = []
    for axis, n in enumerate(shape):
        q = frequencies(n, pixel_size, half=half and axis == last, device=device, dtype=dtype)
        grids.append(q.view([-1 if other == axis else 1 for other in range(last + 1)]))
    return tuple(grids)


def radius(grid: tuple[Tensor, ...]) -> Tensor:  # full shape
    """Length of the vectors of an open grid.

    Examples
    --------
    >>> from difftem.functional.grid import frequency_grid, radius
    >>> q = radius(frequency_grid((64, 64), pixel_size=1.5))
    >>> round(q.max().item(), 4)  # in the corner, √2 times Nyquist
    0.4714
    """
    squares = [axis**2 for axis in grid]
    return torch.sqrt(sum(squares[1:], start=squares[0]))


def mirrored(
    quadrant: Tensor,  # (..., ny // 2 + 1, nx // 2 + 1)
    shape: tuple[int, int],
) -> Tensor:  # (..., *shape)
    """Complete what is even in qx and qy from its values at non-negative frequencies, DC first.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.grid import mirrored
    >>> mirrored(torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]), (2, 4))  # DC first, Nyquist once
    tensor([[0., 1., 2., 1.],
            [3., 4., 5., 4.]])
    """
    for axis, n in zip((-2, -1), shape, strict=True):
        index = torch.arange(n, device=quadrant.device)
        quadrant = quadrant.index_select(axis, torch.minimum(index, n - index))
    return quadrant


def band_limit_mask(
    shape: tuple[int, ...],
    fraction: float = 2 / 3,
    taper: float = 0.01,
    *,
    half: bool = False,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:  # shape, its last axis halved with half
    """Circular (spherical) low-pass that keeps products of two band-limited fields free of aliases.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` or ``(nz, ny, nx)`` in pixels.
    fraction : float
        Cut-off as a fraction of Nyquist, in (0, 1]; 2/3 is Kirkland's rule.
    taper : float
        Width of the raised-cosine edge below the cut-off, in cycles/pixel; 0 is a hard edge.
    half : bool
        Mask of a real transform.
    device, dtype
        Of the result.

    Returns
    -------
    Tensor
        Values in [0, 1], DC at ``[0, 0]``.

    Raises
    ------
    ValueError
        If `fraction` is outside (0, 1].

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), section 6.8.

    Examples
    --------
    >>> from difftem.functional.grid import band_limit_mask
    >>> mask = band_limit_mask((64, 64), fraction=2 / 3, taper=0.0)
    >>> round(mask.mean().item(), 2)  # π/9 of all frequencies
    0.35
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"band_limit must be in (0, 1] of Nyquist, got {fraction}")
    q = radius(frequency_grid(shape, 1.0, half=half, device=device, dtype=dtype))
    cutoff = fraction / 2
    if taper <= 0:
        return (q <= cutoff).to(dtype)
    edge = torch.clamp((q - (cutoff - taper)) / taper, 0.0, 1.0)
    return 0.5 * (1 + torch.cos(math.pi * edge))


def crop_center(
    image: Tensor,  # (..., y, x)
    shape: tuple[int, int],
) -> Tensor:  # (..., *shape)
    """Cut the central pixels out of an image as a view; pixel ``n // 2`` stays the centre.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.grid import crop_center
    >>> crop_center(torch.arange(16).view(4, 4), (2, 2))
    tensor([[ 5,  6],
            [ 9, 10]])
    """
    top = image.shape[-2] // 2 - shape[0] // 2
    left = image.shape[-1] // 2 - shape[1] // 2
    return image[..., top : top + shape[0], left : left + shape[1]]
