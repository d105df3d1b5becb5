"""Radiation damage: how the image of a specimen fades as the exposure grows."""

import torch
from torch import Tensor

from difftem.constants.physical import ELECTRON_REST_ENERGY_EV
from difftem.functional.grid import frequency_grid

_FACTOR, _POWER, _FLOOR = 0.245, -1.665, 2.81  # e/Å², k in 1/Å, at 300 kV
_REFERENCE_EV = 300e3


def critical_exposure(
    frequency: Tensor,  # (...) 1/Å
    energy: Tensor,  # () eV
) -> Tensor:  # (...) e/Å²
    r"""Exposure after which a protein's structure factors have fallen to 1/√e.

    .. math:: N_e(k) = \left(0.245\, k^{-1.665} + 2.81\right) \beta^2(E) / \beta^2(300\,\mathrm{kV})

    The scale with the voltage is that of inelastic cross sections; it is 0.80 at 200 kV, as in the
    paper.

    Parameters
    ----------
    frequency : Tensor
        Spatial frequency k in 1/Å; at 0 the exposure is infinite.
    energy : Tensor
        Of the beam in eV.

    Returns
    -------
    Tensor
        In electrons/Å².

    References
    ----------
    Grant & Grigorieff, eLife 4 (2015) e06980: the fit of the critical exposure at 300 kV.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.radiation_damage import critical_exposure
    >>> round(critical_exposure(torch.tensor(1 / 3), torch.tensor(300e3)).item(), 2)  # e/Å², at 3 Å
    4.34
    """
    scale = _beta_squared(energy) / _beta_squared(torch.as_tensor(_REFERENCE_EV).to(energy))
    return (_FACTOR * frequency**_POWER + _FLOOR) * scale.to(frequency)


def fading(
    frequency: Tensor,  # (...) 1/Å
    before: Tensor,  # () e/Å²
    dose: Tensor,  # () e/Å²
    energy: Tensor,  # () eV
) -> Tensor:  # (...)
    r"""Mean amplitude, during an exposure, of what a fresh specimen would show.

    .. math:: \frac{1}{D} \int_{N_0}^{N_0 + D} e^{-N / 2 N_e(k)}\, dN

    Parameters
    ----------
    frequency : Tensor
        Spatial frequency k in 1/Å.
    before : Tensor
        Exposure N₀ that the specimen had before, in electrons/Å².
    dose : Tensor
        That of the image, D, in electrons/Å²; 0 gives the amplitude at N₀.
    energy : Tensor
        Of the beam in eV.

    Returns
    -------
    Tensor
        Between 0 and 1; 1 at zero frequency.

    References
    ----------
    Grant & Grigorieff, eLife 4 (2015) e06980: their filter is that of one N.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.radiation_damage import critical_exposure, fading
    >>> frequency, energy = torch.tensor(1 / 3), torch.tensor(300e3)
    >>> before = critical_exposure(frequency, energy)
    >>> round(fading(frequency, before, torch.tensor(0.0), energy).item(), 4)  # 1 / √e
    0.6065
    """
    rate = 1 / (2 * critical_exposure(frequency, energy))
    share = rate * dose.to(rate)
    small = share < 1e-4
    safe = torch.where(small, torch.ones_like(share), share)
    during = torch.where(small, 1 - share / 2, -torch.expm1(-safe) / safe)
    return torch.exp(-rate * before.to(rate)) * during


def faded(
    image: Tensor,  # (..., y, x)
    pixel_size: float,  # Å
    before: Tensor,  # () e/Å²
    dose: Tensor,  # () e/Å²
    energy: Tensor,  # () eV
) -> Tensor:  # (..., y, x)
    """Image whose contrast has faded; its mean stays.

    Parameters
    ----------
    image : Tensor
        Intensity, shape ``(..., y, x)``.
    pixel_size : float
        In Å.
    before, dose, energy : Tensor
        As of `fading`.

    Returns
    -------
    Tensor
        Shape ``(..., y, x)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.radiation_damage import faded
    >>> image = torch.tensor([[1.0, 2.0, 1.0, 0.0]] * 4)  # a wave of 4 Å on a mean of 1
    >>> after = faded(image, 1.0, torch.tensor(20.0), torch.tensor(1.0), torch.tensor(300e3))
    >>> [round(value, 3) for value in after[0].tolist()]  # after 20 e/Å²
    [1.0, 1.143, 1.0, 0.857]
    """
    shape = (image.shape[-2], image.shape[-1])
    qy, qx = frequency_grid(shape, pixel_size, device=image.device)
    qx = qx[:, : shape[1] // 2 + 1].abs()
    factor = fading(torch.sqrt(qy**2 + qx**2), before, dose, energy).to(image.dtype)
    return torch.fft.irfft2(torch.fft.rfft2(image) * factor, s=shape)


def _beta_squared(energy: Tensor) -> Tensor:
    """Square of the electrons' speed in units of light's."""
    gamma = 1 + energy.double() / ELECTRON_REST_ENERGY_EV
    return 1 - gamma**-2
