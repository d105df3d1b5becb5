"""Other samples of an image: cut or filled in Fourier space."""

import torch
from torch import Tensor

from difftem.functional.cosine import cosine_transform, inverse_cosine_transform


def fourier_crop(
    image: Tensor,  # (..., y, x)
    shape: tuple[int, int],
) -> Tensor:  # (..., *shape)
    r"""Sample a periodic image at fewer points after leaving out what they cannot carry.

    .. math:: \hat g(\mathbf k) = \hat f(\mathbf k),\quad |k_y| < n_y / 2,\ |k_x| < n_x / 2

    The mean and every frequency below Nyquist of the coarser pixels stay as they are. Nyquist
    itself is left out: real samples hold one half of its wave only.

    Parameters
    ----------
    image : Tensor
        Real, its sides even.
    shape : tuple of int
        ``(ny, nx)`` of the result, even and not larger; the centre stays at pixel ``n // 2``.

    Returns
    -------
    Tensor
        Real; the image itself where the shape is its own.

    Raises
    ------
    ValueError
        For sides that are odd, or larger than the image's.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.functional.resample import fourier_crop
    >>> wave = torch.cos(2 * math.pi / 8 * torch.arange(8)).expand(8, 8)
    >>> [round(abs(value), 3) for value in fourier_crop(wave, (4, 4))[0].tolist()]
    [1.0, 0.0, 1.0, 0.0]
    """
    fine = (image.shape[-2], image.shape[-1])
    if shape == fine:
        return image
    if any(n % 2 for n in (*fine, *shape)) or shape[0] > fine[0] or shape[1] > fine[1]:
        raise ValueError(f"sides must be even and become smaller, got {fine} and {shape} pixels")
    spectrum = torch.fft.rfft2(image, norm="forward")
    rows, columns = shape[0] // 2, shape[1] // 2
    kept = spectrum.new_zeros(*image.shape[:-2], shape[0], columns + 1)
    kept[..., :rows, :columns] = spectrum[..., :rows, :columns]
    kept[..., rows + 1 :, :columns] = spectrum[..., fine[0] - rows + 1 :, :columns]
    return torch.fft.irfft2(kept, s=shape, norm="forward")


def cosine_resample(
    image: Tensor,  # (..., y, x)
    shape: tuple[int, int],
    noise: torch.Generator | None = None,
) -> Tensor:  # (..., *shape)
    """Sample an image with white noise at another number of points, its noise as white as before.

    Ordinates of the orthonormal cosine transform beyond the finer limit are left out; those that
    the image lacks are zero, or white noise of variance 1: what more and smaller pixels of the same
    camera would have counted there, if the specimen has nothing so fine. The edges stay where they
    are, and the image need not be periodic.

    Parameters
    ----------
    image : Tensor
        Whitened: white noise has variance 1.
    shape : tuple of int
        ``(ny, nx)`` of the result.
    noise : torch.Generator, optional
        Draws the ordinates that are lacking.

    Returns
    -------
    Tensor
        Values are larger by the square root of the ratio of the pixels' areas, the noise is not.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.resample import cosine_resample
    >>> noise = torch.randn(128, 128, generator=torch.Generator().manual_seed(0))
    >>> coarse = cosine_resample(noise + 3, (64, 64))  # pixels twice as wide
    >>> round(coarse.mean().item()), round(coarse.std().item(), 1)  # the signal doubles
    (6, 1.0)
    """
    ny, nx = image.shape[-2:]
    if shape == (ny, nx):
        return image
    spectrum = cosine_transform(image)
    wanted = (*image.shape[:-2], *shape)
    if noise is None or (shape[0] <= ny and shape[1] <= nx):
        found = image.new_zeros(wanted)
    else:
        found = torch.randn(wanted, generator=noise, device=image.device, dtype=image.dtype)
    rows, columns = min(ny, shape[0]), min(nx, shape[1])
    found[..., :rows, :columns] = spectrum[..., :rows, :columns]
    return inverse_cosine_transform(found)
