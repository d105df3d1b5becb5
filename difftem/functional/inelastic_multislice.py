"""Multislice with a second channel for the intensity that inelastic scattering leaves."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.inelastic import AngularTransfer, transferred_fraction
from difftem.functional.multislice import fresnel_propagator, propagate, transmit
from difftem.functional.wave import squared_modulus
from difftem.functional.wave_buffers import Interaction, WaveBuffers


class Steps(NamedTuple):
    """What a wave goes through; `difftem.ops` has the same as kernels.

    Examples
    --------
    >>> from difftem.functional.inelastic_multislice import Steps
    >>> from difftem.functional.multislice import propagate
    >>> Steps().propagate is propagate  # plain PyTorch, unless kernels are given
    True
    """

    transmit: Callable[[Tensor, Tensor, Tensor], Tensor] = transmit
    propagate: Callable[[Tensor, Tensor], Tensor] = propagate
    make_buffers: Callable[[Tensor], WaveBuffers] = WaveBuffers


PLAIN = Steps()


def inelastic_multislice(
    projected_potential: Iterable[Tensor],  # n_slices x (..., y, x) complex V Å
    heights: Iterable[float],  # n_slices, Å
    sigma: Tensor,  # () rad / (V Å)
    wavelength: Tensor,  # () Å
    pixel_size: float,  # Å
    transfer: AngularTransfer,
    defocus: Tensor,  # (...) Å
    wave: Tensor | None = None,  # (..., y, x) complex
    band_limit: float | None = 2 / 3,
    taper: float = 0.01,
    steps: Steps = PLAIN,
) -> tuple[Tensor, Tensor]:  # (..., y, x) complex, (..., y, x)
    r"""Send a wave through absorbing slices and image what they scatter inelastically.

    .. math:: \psi'_s = \psi_s e^{i \sigma v_s}, \qquad
              I_\mathrm{inel} = \sum_s F^{-1}\!\left[ T(2 \pi q\, |z_s + \Delta f|)\,
              F[|\psi_s|^2 - |\psi'_s|^2] \right], \qquad
              \psi_{s+1} = P_{z_{s+1} - z_s} \psi'_s

    What the imaginary part of a slice takes from the wave goes straight to the image, blurred by
    its angles times the distance of the slice from the plane in focus.

    Parameters
    ----------
    projected_potential : iterable of Tensor
        Slices in V Å, the one hit first coming first; empty ones may be left out.
    heights : iterable of float
        Heights z of their planes in Å, rising along the beam.
    sigma : Tensor
        Interaction constant in rad/(V Å).
    wavelength : Tensor
        In Å.
    pixel_size : float
        In Å.
    transfer : AngularTransfer
        Angles of the scattered electrons, from `difftem.functional.inelastic.angular_transfer`.
    defocus : Tensor
        Underfocus Δf of the plane z = 0 in Å; its shape is a batch shape.
    wave : Tensor, optional
        Incident wave. Default: a plane wave of unit amplitude.
    band_limit, taper : float
        As in `difftem.functional.multislice.fresnel_propagator`.
    steps : Steps
        Transmission and propagation.

    Returns
    -------
    tuple of Tensor
        Wave just behind the last slice, in its plane, and the inelastic intensity in the image.

    Raises
    ------
    ValueError
        Without any slice, with more slices than heights or fewer, or with a falling height.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.inelastic import AngularTransfer
    >>> from difftem.functional.inelastic_multislice import inelastic_multislice
    >>> all_pass = AngularTransfer(1.0, torch.ones(2), torch.ones(()))
    >>> ice = torch.full((8, 8), 450 + 25j)  # V Å, a slice of 100 Å
    >>> sigma, wavelength, defocus = torch.tensor([6.526e-4, 0.0197, 15000.0])
    >>> beam = (sigma, wavelength, 2.0, all_pass, defocus)
    >>> wave, inelastic = inelastic_multislice([ice], [0.0], *beam)
    >>> round(wave.abs().square().mean().item(), 3), round(inelastic.mean().item(), 3)  # 1 in all
    (0.968, 0.032)
    """
    total: Tensor | None = None
    buffers: WaveBuffers | None = None
    here, cached, q = 0.0, (0.0, sigma), sigma
    for slice_, height in zip(projected_potential, heights, strict=True):
        if wave is None:
            kind = torch.promote_types(slice_.dtype, torch.complex64)
            wave = torch.ones_like(slice_, dtype=kind)
        shape, dtype = (slice_.shape[-2], slice_.shape[-1]), wave.real.dtype
        plain = not torch.is_grad_enabled() and wave.shape == slice_.shape
        if total is None:
            total = wave.real.new_zeros(*shape[:1], shape[1] // 2 + 1)
            q = radius(frequency_grid(shape, pixel_size, half=True, device=wave.device))
            buffers = steps.make_buffers(wave) if plain else None
        elif height < here:
            raise ValueError(f"heights must rise along the beam, got {height} after {here} Å")
        elif height > here:
            distance = height - here
            if not math.isclose(distance, cached[0], rel_tol=1e-9):
                made = fresnel_propagator(
                    shape, pixel_size, distance, wavelength, None, band_limit, taper, dtype
                )
                cached = (distance, made)
            wave = buffers.propagate(cached[1]) if buffers else steps.propagate(wave, cached[1])
        here = height
        before = squared_modulus(wave)
        if buffers:
            wave = buffers.transmit(slice_, Interaction(sigma))
        else:
            wave = steps.transmit(wave, slice_, sigma)
        if slice_.is_complex():
            lost = torch.fft.rfft2(before - squared_modulus(wave))
            reach = 2 * math.pi * q * torch.abs(height + defocus.double())[..., None, None]
            total = total + lost * transferred_fraction(transfer, reach.to(dtype))
    if wave is None or total is None:
        raise ValueError("multislice needs at least one slice")
    return wave, torch.fft.irfft2(total, s=(wave.shape[-2], wave.shape[-1]))
