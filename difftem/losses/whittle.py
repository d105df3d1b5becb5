"""Whittle's likelihood of a noise power spectrum."""

import torch
from torch import Tensor

from difftem.analysis.noise_spectrum import RingSpectrum


def whittle_loss(
    spectrum: RingSpectrum,
    model: Tensor,  # (rings,)
) -> Tensor:  # ()
    r"""Negative log likelihood of periodogram ordinates that are exponential around a model.

    .. math:: -\ln L = \sum_k \nu_k \left(\ln S_k + \frac{I_k}{S_k}\right)

    A term without the model is left out. Here :math:`S = s_0 H(\omega)^2 + \sigma^2`.

    Parameters
    ----------
    spectrum : RingSpectrum
        Measured power I and its number of ordinates ν.
    model : Tensor
        S > 0 at the same frequencies, shape ``(rings,)``.

    Returns
    -------
    Tensor
        Sum over all ordinates: differences are differences of log likelihood.

    References
    ----------
    Whittle, Ark. Mat. 2 (1953) 423.
    """
    return (spectrum.ordinates * (torch.log(model) + spectrum.power / model)).sum()


def white_level(
    mean: Tensor,  # grey values
    gain: float,
) -> Tensor:  # grey values²
    r"""Noise power at zero frequency of a flat field of a counting detector.

    Counts are Poisson with rate λ, so their spectrum is white: λ. The grey values are
    :math:`g\, h * C`, with mean :math:`m = g\lambda` and spectrum
    :math:`g^2 \lambda H^2 = g\, m\, H^2`. Electrons that are lost before they count (DQE(0) < 1)
    lower λ in both. An offset of the camera must be taken off the mean.

    Parameters
    ----------
    mean : Tensor
        Mean m.
    gain : float
        g, grey values per electron.

    Returns
    -------
    Tensor
        s0 = g m.
    """
    return gain * mean
