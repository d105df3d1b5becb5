"""Power spectra."""

import torch
from torch import Tensor


def power_spectrum(
    image: Tensor,  # (..., y, x)
    *,
    half: bool = True,
) -> Tensor:  # (..., y, x // 2 + 1), or (..., y, x)
    """Periodogram of an image without its mean; white noise of variance v gives v on average.

    Parameters
    ----------
    image : Tensor
        Real, shape ``(..., y, x)``.
    half : bool
        Only the half grid of a real transform, or all frequencies.

    Returns
    -------
    Tensor
        Squared Fourier amplitudes over the number of pixels, DC at ``[0, 0]``.
    """
    centered = image - image.mean((-2, -1), keepdim=True)
    spectrum = torch.fft.rfft2(centered) if half else torch.fft.fft2(centered)
    return (spectrum.real**2 + spectrum.imag**2) / (image.shape[-2] * image.shape[-1])
