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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.coherence import focal_spread
    >>> energy, cc, spread, steady = torch.tensor([3e5, 2.7e7, 0.7, 0.0])  # Cc = 2.7 mm, 0.7 eV
    >>> round(focal_spread(energy, cc, spread, steady, steady).item(), 1)  # Å
    77.3
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.coherence import temporal_envelope
    >>> wavelength, spread = torch.tensor(0.0197), torch.tensor(77.3)  # Å
    >>> q2 = torch.tensor([[0.0, 1 / 3.0**2, 1 / 1.55**2]])  # 1/Å²
    >>> temporal_envelope(q2, wavelength, spread)  # e^-2 is the information limit: 1.55 Å
    tensor([[1.0000, 0.8682, 0.1377]])
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.coherence import spatial_envelope
    >>> wavelength, q = torch.tensor(0.0197), torch.tensor([[1 / 8, 1 / 4]])  # Å, 1/Å
    >>> slope = 2 * torch.pi * wavelength * 15000 * q  # rad Å, of 1.5 µm of defocus along x
    >>> spatial_envelope((torch.zeros_like(q), slope), wavelength, torch.tensor(5e-5))
    tensor([[0.8407, 0.4996]])
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
    """Both envelopes relative to the direct beam, which nothing damps.

    Parameters
    ----------
    frequencies : TiltedFrequencies
        From `difftem.functional.tilted_beam.tilted_frequencies`.
    wavelength : Tensor
        In Å.
    coefficients : mapping of str to Tensor
        As in `difftem.functional.lens.aberration_phase`, in Å.
    spread : Tensor
        Of the focus, δ in Å, from `focal_spread`.
    source : Tensor or None
        Standard deviation of the illumination angle per axis in rad; None for a point source.
    dtype : torch.dtype
        That the temporal envelope is computed in; the spatial one is in that of the frequencies.

    Returns
    -------
    Tensor
        Values in (0, 1].

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.coherence import coherence_envelope
    >>> from difftem.functional.tilted_beam import tilted_frequencies
    >>> wavelength, spread, source = torch.tensor([0.0197, 77.3, 5e-5]).unbind()
    >>> frequencies = tilted_frequencies((4, 8), 1.0, wavelength, None)
    >>> defocus = {"C10": torch.tensor(-5000.0)}
    >>> lens = (wavelength, defocus, spread, source)
    >>> coherence_envelope(frequencies, *lens, torch.float64)[0, :4]  # at 0, 1/8, 1/4, 3/8 per Å
    tensor([1.0000, 0.9782, 0.8853, 0.6705], dtype=torch.float64)
    """
    q2 = frequencies.squared().to(dtype)
    envelope = temporal_envelope(q2, wavelength.to(dtype), spread.to(dtype))
    if source is None:
        return envelope
    gradient = frequencies.aberration_gradient(wavelength, coefficients)
    return envelope * spatial_envelope(gradient, wavelength, source)
