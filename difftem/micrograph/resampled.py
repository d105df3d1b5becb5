"""Signs that an image was rotated, magnified or shrunk by interpolation."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from difftem.functional.grid import crop_center

_SIDE = 1024  # pixels are looked at, in the middle
_LOWEST = 4  # frequency steps; illumination and specimen modulate the noise more slowly
_BRIGHTEST = 0.999  # quantile of squares: beads and cosmic rays above it count as it
_WIDE, _NEAR = 31, 3  # frequency steps
_MODULATION = 0.05
_SIGNIFICANT = 9.0  # Gaussian noise reaches 5.7 in images of 512 pixels, filtered noise 8.5
_LATTICE = 10.0


def resampling_sign(
    image: Tensor,  # (y, x)
) -> str | None:
    """Look for a noise whose variance goes up and down with the pixel's place.

    Interpolation averages neighbours where it looks between them and none where it meets one, so
    that the variance has the period at which both grids meet. Peaks in the spectrum of the squared
    difference of each pixel from its neighbours tell it: a specimen modulates the noise, too, but
    over many frequencies. Where the image itself has peaks (a
    crystal's lattice, whose contrast modulates the noise, too), nothing is told.

    Parameters
    ----------
    image : Tensor
        Grey values.

    Returns
    -------
    str or None
        One line.

    References
    ----------
    Gallagher, Proc. 2nd Canadian Conf. Computer and Robot Vision (2005) 65.
    """
    image = crop_center(image, (min(_SIDE, image.shape[0]), min(_SIDE, image.shape[1])))
    beside = image[:-2, 1:-1] + image[2:, 1:-1] + image[1:-1, :-2] + image[1:-1, 2:]
    rough = image[1:-1, 1:-1] - beside / 4
    square = rough.square()
    brightest = square.flatten().kthvalue(int(_BRIGHTEST * square.numel())).values
    square = square.clamp(max=float(brightest))
    amplitude = _amplitude(square / square.mean() - 1)
    at = int((amplitude / _around(amplitude)).argmax())
    peak, noise = (float(each.flatten()[at]) for each in (amplitude, _around(amplitude)))
    modulation = 2 * peak
    if modulation < _MODULATION or peak < _SIGNIFICANT * noise:
        return None
    own = _amplitude(rough)
    if float(own.max()) > _LATTICE * float(own.square().mean().sqrt()):
        return None
    return (
        f"the variance of the noise goes up and down by {100 * modulation:.0f} % with the place of "
        "the pixel: the image was rotated or its pixel size changed by interpolation"
    )


def _around(amplitude: Tensor) -> Tensor:  # (y, x // 2 + 1)
    """Root mean square of what is around each frequency, or of all if that is more."""
    power = amplitude.square()[None, None]
    wide, near = (avg_pool2d(power, n, 1, n // 2) * n**2 for n in (_WIDE, _NEAR))
    around = ((wide - near).clamp(min=0.0) / (_WIDE**2 - _NEAR**2))[0, 0]
    return around.clamp(min=float(power.mean())).sqrt()


def _amplitude(values: Tensor) -> Tensor:  # (y, x // 2 + 1)
    """Absolute Fourier coefficients without the lowest."""
    amplitude = torch.fft.rfft2(values).abs() / values.numel()
    amplitude[:_LOWEST, :_LOWEST] = 0.0
    amplitude[1 - _LOWEST :, :_LOWEST] = 0.0
    return amplitude
