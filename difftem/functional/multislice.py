"""Propagation of the beam through the specimen, slice by slice."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from difftem.functional.grid import band_limit_mask, frequency_grid


def phase_factor(
    phase: Tensor,  # (...) rad
) -> Tensor:  # (...) complex
    """Complex exponential of an imaginary number: cos + i sin, many times faster than exp.

    Parameters
    ----------
    phase : Tensor
        Real, in rad, any shape.

    Returns
    -------
    Tensor
        Complex tensor of modulus 1.
    """
    return torch.complex(torch.cos(phase), torch.sin(phase))


def fresnel_propagator(
    shape: tuple[int, int],
    pixel_size: float,  # Å
    distance: float,  # Å
    wavelength: Tensor,  # () Å
    tilt: Tensor | None = None,  # (..., 2) rad
    band_limit: float = 2 / 3,
    taper: float = 0.01,
) -> Tensor:  # (..., ny, nx) complex
    r"""Transfer function of free space over one slice, band-limited.

    .. math:: P(\mathbf q) = e^{-i \pi \lambda \Delta z\, q^2
              - 2 \pi i \Delta z\, \mathbf q \cdot \boldsymbol\theta}

    The phase is built in float64, separably, and rounded last: it may be many thousand rad.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` in pixels.
    pixel_size : float
        In Å.
    distance : float
        Slice thickness Δz in Å; negative propagates back.
    wavelength : Tensor
        In Å, a scalar tensor; its dtype sets the precision of the result.
    tilt : Tensor, optional
        Angles (θx, θy) in rad between beam and slice normal, shape ``(..., 2)``: a wave that
        travels towards +x has θx > 0. Valid for small angles (tens of mrad).
    band_limit, taper : float
        As in `difftem.functional.grid.band_limit_mask`.

    Returns
    -------
    Tensor
        Complex, DC at ``[0, 0]``.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), eqs. 6.65 and 6.99.
    """
    qy, qx = frequency_grid(shape, pixel_size, device=wavelength.device)
    lam = wavelength.double()
    phase_y = -math.pi * distance * lam * qy**2
    phase_x = -math.pi * distance * lam * qx**2
    if tilt is not None:
        angle = tilt.double()[..., None, None]
        phase_x = phase_x - 2 * math.pi * distance * angle[..., 0, :, :] * qx
        phase_y = phase_y - 2 * math.pi * distance * angle[..., 1, :, :] * qy
    mask = band_limit_mask(
        shape, band_limit, taper, device=wavelength.device, dtype=wavelength.dtype
    )
    complex_dtype = torch.promote_types(wavelength.dtype, torch.complex64)
    factor_y, factor_x = (phase_factor(p).to(complex_dtype) for p in (phase_y, phase_x))
    return factor_y * (factor_x * mask)


def transmit(
    wave: Tensor,  # (..., y, x) complex
    projected_potential: Tensor,  # (..., y, x) V Å
    sigma: Tensor,  # () rad / (V Å)
    absorption: Tensor | None = None,  # (..., y, x) V Å
) -> Tensor:  # (..., y, x) complex
    r"""Multiply a wave by the transmission function of one slice.

    .. math:: \psi'(x, y) = \psi(x, y) \, e^{i \sigma (v + i w)}

    Parameters
    ----------
    wave : Tensor
        Complex, shape ``(..., y, x)``.
    projected_potential : Tensor
        Real part v in V Å, shape ``(..., y, x)``.
    sigma : Tensor
        Interaction constant in rad/(V Å), a scalar tensor.
    absorption : Tensor, optional
        Imaginary part w in V Å; positive values absorb.

    Returns
    -------
    Tensor
        Complex, shape ``(..., y, x)``.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), eq. 6.67.
    """
    transmission = phase_factor(sigma * projected_potential)
    if absorption is not None:
        transmission = transmission * torch.exp(-sigma * absorption)
    return wave * transmission


def propagate(
    wave: Tensor,  # (..., y, x) complex
    propagator: Tensor,  # (..., y, x) complex
) -> Tensor:  # (..., y, x) complex
    """Convolve a wave with a propagator given by its Fourier transform.

    Parameters
    ----------
    wave : Tensor
        Complex, shape ``(..., y, x)``.
    propagator : Tensor
        From `fresnel_propagator`.

    Returns
    -------
    Tensor
        Complex, shape ``(..., y, x)``.
    """
    return torch.fft.ifft2(torch.fft.fft2(wave) * propagator)


def multislice(
    projected_potential: Iterable[Tensor],  # n_slices x (..., y, x) V Å
    sigma: Tensor,  # () rad / (V Å)
    propagator: Tensor,  # (..., y, x) complex
    absorption: Iterable[Tensor] | None = None,  # n_slices x (..., y, x) V Å
    wave: Tensor | None = None,  # (..., y, x) complex
) -> Tensor:  # (..., y, x) complex
    """Send a wave through all slices: transmit, propagate, transmit, propagate, ...

    The exit wave lies one slice thickness behind the last slice's plane. Slices may come from a
    generator: then only one is held at a time.

    Parameters
    ----------
    projected_potential : iterable of Tensor
        Slices in V Å, the one hit first coming first.
    sigma : Tensor
        Interaction constant in rad/(V Å).
    propagator : Tensor
        Of one slice thickness, from `fresnel_propagator`.
    absorption : iterable of Tensor, optional
        Imaginary parts of the slices in V Å.
    wave : Tensor, optional
        Incident wave; a plane wave of unit amplitude without it.

    Returns
    -------
    Tensor
        Exit wave.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), eq. 6.92.
    """
    absorptions = iter(absorption) if absorption is not None else None
    for slice_ in projected_potential:
        if wave is None:
            wave = torch.ones_like(slice_, dtype=propagator.dtype)
        absorbed = next(absorptions) if absorptions is not None else None
        wave = propagate(transmit(wave, slice_, sigma, absorbed), propagator)
    if wave is None:
        raise ValueError("multislice needs at least one slice")
    return wave
