"""Partial coherence of the lens as envelopes."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from difftem.constants.physical import ELECTRON_REST_ENERGY_EV
from difftem.functional.tilted_beam import TiltedFrequencies


def focal_spread(
    energy: Tensor,  # () eV
    chromatic_aberration: Tensor,  # (...) Å
    energy_spread: Tensor,  # (...) eV
    current_instability: Tensor,  # (...) relative
    voltage_instability: Tensor,  # (...) relative
) -> Tensor:  # (...) Å
    r"""Defocus spread from chromatic aberration, as a standard deviation.

    .. math:: \delta = C_c \sqrt{\left(\frac{\Delta E}{E^*}\right)^2
              + \left(\frac{\Delta V}{V} \frac{E}{E^*}\right)^2
              + \left(\frac{2 \Delta I}{I}\right)^2}

    where :math:`E^* = E (1 + E / 2 m_0 c^2) / (1 + E / m_0 c^2)` is the relativistic energy.

    Parameters
    ----------
    energy : Tensor
        Beam energy in eV.
    chromatic_aberration : Tensor
        Cc in Å.
    energy_spread : Tensor
        Standard deviation of the beam energy in eV.
    current_instability, voltage_instability : Tensor
        Standard deviations ΔI/I of the lens current and ΔV/V of the high tension.

    Returns
    -------
    Tensor
        δ in Å.

    References
    ----------
    Reimer & Kohl, Transmission Electron Microscopy (2008), section 6.4.2.
    """
    gamma = energy / ELECTRON_REST_ENERGY_EV
    effective = energy * (1 + gamma / 2) / (1 + gamma)
    high_tension = voltage_instability * energy / effective
    variance = (energy_spread / effective) ** 2 + high_tension**2 + (2 * current_instability) ** 2
    # The clamp keeps the gradient finite for a monochromatic beam.
    return chromatic_aberration * torch.sqrt(torch.clamp(variance, min=1e-30))


def temporal_envelope(
    q2: Tensor,  # (..., ny, nx) 1/Å²
    wavelength: Tensor,  # () Å
    spread: Tensor,  # (...) Å
) -> Tensor:  # (..., ny, nx)
    r"""Damping by a Gaussian distribution of defocus of standard deviation δ.

    .. math:: E_t(q) = e^{-\frac12 (\pi \lambda \delta q^2)^2}

    Parameters
    ----------
    q2 : Tensor
        Squared frequency in 1/Å².
    wavelength : Tensor
        In Å.
    spread : Tensor
        δ in Å, from `focal_spread`.

    Returns
    -------
    Tensor
        Values in (0, 1].

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), section 3.2.
    """
    return torch.exp(-0.5 * (math.pi * wavelength * spread[..., None, None] * q2) ** 2)


def spatial_envelope(
    gradient: tuple[Tensor, Tensor],  # 2 x (..., ny, nx) rad Å
    wavelength: Tensor,  # () Å
    semiangle: Tensor,  # (...) rad
) -> Tensor:  # (..., ny, nx)
    r"""Damping by a Gaussian source of standard deviation α (per axis).

    .. math:: E_s(\mathbf q) = e^{-\frac12 (\alpha / \lambda)^2 |\nabla\chi(\mathbf q)|^2}

    Parameters
    ----------
    gradient : tuple of Tensor
        From `difftem.functional.lens.aberration_gradient`.
    wavelength : Tensor
        In Å.
    semiangle : Tensor
        α in rad: standard deviation of the illumination angle along each axis.

    Returns
    -------
    Tensor
        Values in (0, 1].

    References
    ----------
    Frank, Optik 38 (1973) 519; Wade & Frank, Optik 49 (1977) 81.
    """
    squared = gradient[0] ** 2 + gradient[1] ** 2
    return torch.exp(-0.5 * (semiangle / wavelength)[..., None, None] ** 2 * squared)


def coherence_envelope(
    frequencies: TiltedFrequencies,
    wavelength: Tensor,  # () Å
    coefficients: Mapping[str, Tensor],  # each (...) Å
    spread: Tensor,  # (...) Å
    source: Tensor | None,  # (...) rad
    dtype: torch.dtype,
) -> Tensor:  # (..., ny, nx)
    """Both envelopes relative to the direct beam, which nothing damps; None is a point source."""
    q2 = frequencies.squared().to(dtype)
    envelope = temporal_envelope(q2, wavelength.to(dtype), spread.to(dtype))
    if source is None:
        return envelope
    gradient = frequencies.aberration_gradient(wavelength, coefficients)
    return envelope * spatial_envelope(gradient, wavelength, source)
