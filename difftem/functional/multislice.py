"""Propagation of the beam through the specimen, slice by slice."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from difftem.functional.grid import band_limit_mask, frequency_grid
from difftem.functional.wave import complex_dtype, phase_factor


def fresnel_propagator(
    shape: tuple[int, int],
    pixel_size: float,  # Å
    distance: float,  # Å
    wavelength: Tensor,  # () Å
    tilt: Tensor | None = None,  # (..., 2) rad
    band_limit: float | None = 2 / 3,
    taper: float = 0.01,
    dtype: torch.dtype = torch.float64,
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
        In Å, a scalar tensor.
    tilt : Tensor, optional
        Angles (θx, θy) in rad between beam and slice normal, shape ``(..., 2)``: a wave that
        travels towards +x has θx > 0. Valid for small angles (tens of mrad).
    band_limit, taper : float
        As in `difftem.functional.grid.band_limit_mask`; no limit at all with None.
    dtype : torch.dtype
        float32 or float64: the precision of the result's parts.

    Returns
    -------
    Tensor
        Complex, DC at ``[0, 0]``.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), sections 6.4 and 6.6.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.multislice import fresnel_propagator
    >>> propagator = fresnel_propagator((8, 8), 1.0, 100.0, torch.tensor(0.0197))
    >>> round(propagator[0, 1].angle().item(), 4)  # -π λ Δz q² at q = 1/8 1/Å
    -0.0967
    """
    qy, qx = frequency_grid(shape, pixel_size, device=wavelength.device)
    lam = wavelength.double()
    phase_y = -math.pi * distance * lam * qy**2
    phase_x = -math.pi * distance * lam * qx**2
    if tilt is not None:
        angle = tilt.double()[..., None, None]
        phase_x = phase_x - 2 * math.pi * distance * angle[..., 0, :, :] * qx
        phase_y = phase_y - 2 * math.pi * distance * angle[..., 1, :, :] * qy
    factor_y, factor_x = (phase_factor(p).to(complex_dtype(dtype)) for p in (phase_y, phase_x))
    if band_limit is None:
        return factor_y * factor_x
    mask = band_limit_mask(shape, band_limit, taper, device=wavelength.device, dtype=dtype)
    return factor_y * (factor_x * mask)


def transmit(
    wave: Tensor,  # (..., y, x) complex
    projected_potential: Tensor,  # (..., y, x) V Å
    sigma: Tensor,  # () rad / (V Å)
    amplitude_contrast: Tensor | None = None,  # (...)
    mask: Tensor | None = None,  # (y, x)
) -> Tensor:  # (..., y, x) complex
    r"""Multiply a wave by the transmission function of one slice.

    .. math:: \psi'(x, y) = \psi(x, y) \, e^{i \sigma v(x, y) (\sqrt{1 - a^2} + i a)}

    Parameters
    ----------
    wave : Tensor
        Complex, shape ``(..., y, x)``.
    projected_potential : Tensor
        v in V Å, shape ``(..., y, x)``; where it is complex, its imaginary part absorbs.
    sigma : Tensor
        Interaction constant in rad/(V Å), a scalar tensor.
    amplitude_contrast : Tensor, optional
        Fraction a of the potential that absorbs. Default: 0.
    mask : Tensor, optional
        Band limit of the transmission function in Fourier space.

    Returns
    -------
    Tensor
        Complex, shape ``(..., y, x)``.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), section 6.4.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.multislice import transmit
    >>> ice = torch.full((1, 1), 453.0)  # V Å: 100 Å of it
    >>> wave = transmit(torch.ones(1, 1, dtype=torch.complex64), ice, sigma=torch.tensor(6.53e-4))
    >>> round(wave.angle().item(), 3)  # rad, at 300 kV
    0.296
    """
    elastic, absorbing = _parts(projected_potential, amplitude_contrast)
    transmission = phase_factor(sigma * elastic)
    if absorbing is not None:
        transmission = transmission * torch.exp(-sigma * absorbing)
    if mask is not None:
        transmission = torch.fft.ifft2(torch.fft.fft2(transmission) * mask)
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.multislice import fresnel_propagator, propagate
    >>> wave = torch.randn(8, 8, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    >>> there = fresnel_propagator((8, 8), 1.0, 9.0, torch.tensor(0.0197), band_limit=None)
    >>> torch.allclose(propagate(propagate(wave, there), there.conj()), wave)  # and back
    True
    """
    return torch.fft.ifft2(torch.fft.fft2(wave) * propagator)


def multislice(
    projected_potential: Iterable[Tensor],  # n_slices x (..., y, x) V Å
    sigma: Tensor,  # () rad / (V Å)
    propagator: Tensor,  # (..., y, x) complex
    wave: Tensor | None = None,  # (..., y, x) complex
    amplitude_contrast: Tensor | None = None,  # (...)
    mask: Tensor | None = None,  # (y, x)
) -> Tensor:  # (..., y, x) complex
    """Send a wave through all slices: transmit, propagate, transmit, propagate, ...

    The exit wave lies one slice thickness behind the last slice's plane. Slices may come from a
    generator: then only one is held at a time.

    Parameters
    ----------
    projected_potential : iterable of Tensor
        Slices in V Å, real or complex, the one hit first coming first.
    sigma : Tensor
        Interaction constant in rad/(V Å).
    propagator : Tensor
        Of one slice thickness, from `fresnel_propagator`.
    wave : Tensor, optional
        Incident wave. Default: a plane wave of unit amplitude.
    amplitude_contrast, mask : Tensor, optional
        As in `transmit`.

    Returns
    -------
    Tensor
        Exit wave.

    Raises
    ------
    ValueError
        Without any slice.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), section 6.4.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.multislice import fresnel_propagator, multislice
    >>> slices = 500 * torch.rand(4, 32, 32, generator=torch.Generator().manual_seed(0))  # V Å
    >>> propagator = fresnel_propagator((32, 32), 0.5, 2.0, torch.tensor(0.0197), band_limit=None)
    >>> wave = multislice(slices, torch.tensor(6.53e-4), propagator)
    >>> round(wave.abs().square().mean().item(), 6)  # no electron is lost
    1.0
    """
    for slice_ in projected_potential:
        if wave is None:
            wave = torch.ones_like(slice_, dtype=propagator.dtype)
        wave = propagate(transmit(wave, slice_, sigma, amplitude_contrast, mask), propagator)
    if wave is None:
        raise ValueError("multislice needs at least one slice")
    return wave


def project(
    projected_potential: Iterable[Tensor],  # n_slices x (..., y, x) V Å
    sigma: Tensor,  # () rad / (V Å)
    mask: Tensor,  # (y, x)
    amplitude_contrast: Tensor | None = None,  # (...)
    *,
    weak: bool = False,
) -> Tensor:  # (..., y, x) complex
    r"""Wave behind a thin object: all slices in one plane, as a phase object or a weak one.

    .. math:: \psi = e^{i \sigma V (\sqrt{1 - a^2} + i a)} \quad\text{or}\quad
              \psi = 1 + i \sigma V (\sqrt{1 - a^2} + i a), \qquad V = \sum_s v_s

    Parameters
    ----------
    projected_potential : iterable of Tensor
        Slices v in V Å, real or complex.
    sigma : Tensor
        Interaction constant in rad/(V Å).
    mask : Tensor
        Band limit of the wave in Fourier space.
    amplitude_contrast : Tensor, optional
        Fraction a of the potential that absorbs.
    weak : bool
        Expand the exponential to first order (weak-phase object).

    Returns
    -------
    Tensor
        Wave in the object's plane.

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), sections 5.1 and 5.2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.multislice import project
    >>> thin, sigma, mask = torch.full((2, 8, 8), 50.0), torch.tensor(6.53e-4), torch.ones(8, 8)
    >>> waves = [project(thin, sigma, mask, weak=weak) for weak in (False, True)]
    >>> [round(wave.abs().square().mean().item(), 4) for wave in waves]  # weak: 1 + (σ V)²
    [1.0, 1.0043]
    """
    slices = iter(projected_potential)
    total = next(slices)
    for slice_ in slices:
        total = total + slice_
    if not weak:
        wave = transmit(
            torch.ones_like(total, dtype=complex_dtype(total.dtype)),
            total,
            sigma,
            amplitude_contrast,
        )
    else:
        elastic, absorbing = _parts(total, amplitude_contrast)
        loss = torch.zeros_like(elastic) if absorbing is None else sigma * absorbing
        wave = torch.complex(1 - loss, sigma * elastic)
    return torch.fft.ifft2(torch.fft.fft2(wave) * mask)


def _parts(
    projected_potential: Tensor, amplitude_contrast: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Real and imaginary part of v (sqrt(1 - a²) + i a), None where nothing absorbs."""
    real, imaginary = projected_potential, None
    if projected_potential.is_complex():
        real, imaginary = projected_potential.real, projected_potential.imag
    if amplitude_contrast is None:
        return real, imaginary
    a = amplitude_contrast[..., None, None].to(real)
    root = torch.sqrt(1 - a**2)
    if imaginary is None:
        return root * real, a * real
    return root * real - a * imaginary, a * real + root * imaginary
