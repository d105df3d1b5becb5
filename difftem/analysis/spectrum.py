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

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.spectrum import power_spectrum
    >>> wave = torch.cos(torch.pi / 4 * torch.arange(8)).expand(8, 8)
    >>> power = power_spectrum(wave)
    >>> divmod(int(power.argmax()), power.shape[1])  # qy of 0 and qx of 1/8 cycles/pixel
    (0, 1)
    """
    centered = image - image.mean((-2, -1), keepdim=True)
    spectrum = torch.fft.rfft2(centered) if half else torch.fft.fft2(centered)
    return (spectrum.real**2 + spectrum.imag**2) / (image.shape[-2] * image.shape[-1])
