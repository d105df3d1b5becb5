"""Electrons per pixel from the skewness of the noise: a second opinion that knows no offset."""

import torch
from torch import Tensor

from difftem.functional.grid import crop_center
from difftem.functional.mtf import apply_transfer
from difftem.functional.whitening import radial_transfer

_SIDE = 1024  # pixels are looked at, in the middle
_ABOVE = 0.1  # cycles/pixel; the specimen's own skewness is below
_SIGMAS = 6.0


def electrons_by_skewness(
    image: Tensor,  # (y, x) grey values
    frequency: Tensor,  # (k,) cycles/pixel
    amplitude: Tensor,  # (k,) grey values
) -> float | None:
    r"""Estimate electrons per pixel from the third moment of whitened noise.

    Poisson counts of mean m have the skewness :math:`1 / \sqrt{m}`, whatever is added to them. Real
    cameras deviate by a factor of about 2, since they count no two electrons alike.

    Parameters
    ----------
    image : Tensor
        Grey values.
    frequency, amplitude : Tensor
        Standard deviation of the noise over cycles/pixel.

    Returns
    -------
    float or None
        None where the skewness is not positive by six standard deviations.

    References
    ----------
    Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), section 4.3.
    """
    shape = (min(_SIDE, image.shape[0]), min(_SIDE, image.shape[1]))
    part = crop_center(image, shape).float()
    noise = radial_transfer(frequency, amplitude.float(), shape)
    passed = radial_transfer(frequency, (frequency > _ABOVE).float(), shape)
    values = apply_transfer(part - part.mean(), passed / noise)
    # White noise of which a part of the frequencies is left has less skewness than variance^1.5.
    kept = float(torch.fft.irfft2(passed, s=shape).square().sum())
    cubed = float(torch.fft.irfft2(passed, s=shape).pow(3).sum())
    skewness = float((values**3).mean()) / cubed
    error = (6 * kept**3 / values.numel()) ** 0.5 / cubed
    return None if skewness < _SIGMAS * error else 1 / skewness**2
