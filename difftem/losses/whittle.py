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

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.noise_spectrum import RingSpectrum
    >>> from difftem.losses.whittle import whittle_loss
    >>> frequency, ordinates = torch.linspace(0.1, 0.5, 5), torch.full((5,), 100.0)
    >>> spectrum = RingSpectrum(frequency, torch.full((5,), 2.0), ordinates)  # measured: 2
    >>> losses = [whittle_loss(spectrum, torch.full((5,), s)).item() for s in (1.5, 2.0, 2.5)]
    >>> losses.index(min(losses))  # a model of 2 explains it best
    1
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

    Examples
    --------
    >>> import torch
    >>> from difftem.losses.whittle import white_level
    >>> white_level(torch.tensor(40.0), gain=2.0).item()  # 20 electrons, each of variance 2²
    80.0
    """
    return gain * mean
