"""Distance of the logarithms of two power spectra."""

import torch
from torch import Tensor

from difftem.analysis.noise_spectrum import RingSpectrum


def log_spectrum_loss(
    simulated: RingSpectrum,
    measured: RingSpectrum,
) -> Tensor:  # ()
    r"""Weighted mean of squared differences of log power.

    .. math:: \frac{\sum_k \nu_k (\ln P_k - \ln I_k)^2}{\sum_k \nu_k}

    Both sides may be noisy: ln P is ln S plus a noise whose distribution depends on ν alone, so
    two spectra of as many crops have the same bias, and the loss is smallest, on average, where
    the spectra agree. This is what the difference of two noisy *images* lacks.

    Parameters
    ----------
    simulated, measured : RingSpectrum
        Over the same rings or bins and, for an unbiased fit, of the same number of crops.

    Returns
    -------
    Tensor
        Differentiable in the simulated power.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import RingSpectrum
    >>> from difftem.losses.log_spectrum import log_spectrum_loss
    >>> frequency, ordinates = torch.linspace(0.1, 0.5, 5), torch.full((5,), 100.0)
    >>> one = RingSpectrum(frequency, torch.full((5,), 2.0), ordinates)
    >>> other = RingSpectrum(frequency, torch.full((5,), 4.0), ordinates)
    >>> round(log_spectrum_loss(one, other).item(), 4)  # (ln 2)²
    0.4805
    """
    difference = torch.log(simulated.power) - torch.log(measured.power)
    return (measured.ordinates * difference**2).sum() / measured.ordinates.sum()
