"""Coarser samples of an image, cut in Fourier space."""

import torch
from torch import Tensor


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
