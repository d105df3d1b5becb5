"""A wave, or the gradient of one, on its way through slices in place."""

from typing import NamedTuple

import torch
from torch import Tensor


class Interaction(NamedTuple):
    r"""What a slice's potential v does to a wave: :math:`e^{i (e + i b) v}`.

    Attributes
    ----------
    elastic : Tensor
        e in rad/(V Å), shape ``()`` or, for a batch of waves, ``(..., 1, 1)``.
    absorbing : Tensor or None
        b, likewise; None where only an imaginary part of v absorbs.
    mask : Tensor or None
        Band limit of the transmission function in Fourier space, real and even.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave_buffers import Interaction
    >>> interaction = Interaction(elastic=torch.tensor(6.53e-4))  # rad/(V Å), 300 kV
    >>> interaction.absorbing is None, interaction.mask is None
    (True, True)
    """

    elastic: Tensor
    absorbing: Tensor | None = None
    mask: Tensor | None = None


class SliceGradient(NamedTuple):
    """Gradient of what `Interaction` and potential are made of.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave_buffers import Interaction, WaveBuffers
    >>> grad = WaveBuffers(torch.ones(8, 8, dtype=torch.complex64))
    >>> wave, slice_ = torch.ones(8, 8, dtype=torch.complex64), torch.zeros(8, 8)
    >>> gradient = grad.transmit_adjoint(wave, slice_, Interaction(torch.tensor(6.53e-4)))
    >>> tuple(gradient.projected_potential.shape), tuple(gradient.elastic.shape), gradient.absorbing
    ((8, 8), (), None)
    """

    projected_potential: Tensor
    elastic: Tensor | None  # None where it was not asked for
    absorbing: Tensor | None


def interaction_constants(
    sigma: Tensor,  # () rad / (V Å)
    amplitude_contrast: Tensor | None = None,  # (...)
) -> tuple[Tensor, Tensor | None]:  # () or (..., 1, 1) rad / (V Å)
    r"""Constants e and b of the transmission function :math:`e^{i (e + i b) v}`.

    They are :math:`\sigma \sqrt{1 - a^2}` and :math:`\sigma a`, or None where nothing absorbs.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave_buffers import interaction_constants
    >>> elastic, absorbing = interaction_constants(torch.tensor(6.53e-4), torch.tensor(0.1))
    >>> f"{elastic:.3e}, {absorbing:.3e}"  # rad/(V Å)
    '6.497e-04, 6.530e-05'
    """
    if amplitude_contrast is None:
        return sigma, None
    a = amplitude_contrast.to(sigma)
    a = a[..., None, None] if a.ndim else a
    return sigma * torch.sqrt(1 - a**2), sigma * a


class WaveBuffers:
    """A wave that changes with each step, with memory for it: fresh arrays cost page faults.

    Parameters
    ----------
    wave : Tensor
        Incident wave, complex; it is copied.
    scratch : WaveBuffers, optional
        Of a wave of the same shape, to share its working memory: two arrays.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave_buffers import Interaction, WaveBuffers
    >>> buffers = WaveBuffers(torch.ones(8, 8, dtype=torch.complex64))
    >>> wave = buffers.transmit(torch.full((8, 8), 453.0), Interaction(torch.tensor(6.53e-4)))
    >>> round(wave[0, 0].angle().item(), 3)  # rad, behind 100 Å of ice
    0.296
    """

    def __init__(self, wave: Tensor, scratch: "WaveBuffers | None" = None) -> None:
        self.wave = wave.resolve_conj().clone(memory_format=torch.contiguous_format)
        self._scratch = scratch
        self._working: tuple[Tensor, Tensor] | None = None
        self._views: tuple[tuple[torch.Size, torch.Size], tuple[Tensor, ...]] | None = None
        self._adjoint: tuple[Tensor, Tensor] | None = None

    def transmit(
        self,
        projected_potential: Tensor,  # (..., y, x) V Å
        interaction: Interaction,
        *,
        conjugate: bool = False,
    ) -> Tensor:  # (..., y, x) complex
        """Multiply the wave by a slice's transmission function, or by its conjugate."""
        mask = interaction.mask
        own = conjugate and mask is None
        transmission = self._transmission(projected_potential, interaction, conjugate=own)
        if mask is not None:
            transmission = _filtered(transmission, mask)
        return self.wave.mul_(transmission.conj() if conjugate and not own else transmission)

    def propagate(
        self,
        propagator: Tensor,  # (..., y, x) complex
        *,
        conjugate: bool = False,
    ) -> Tensor:  # (..., y, x) complex
        """Convolve the wave with a propagator, or with its adjoint."""
        if conjugate:
            propagator = self._conjugate(propagator)
        # Not with `out`: on a CPU that is a copy of the result, not its place.
        spectrum = torch.fft.fft2(self.wave).mul_(propagator)
        del self.wave  # makes room for its successor
        self.wave = torch.fft.ifft2(spectrum)
        return self.wave

    def transmit_adjoint(
        self,
        incident: Tensor,  # (..., y, x) complex
        projected_potential: Tensor,  # (..., y, x) V Å
        interaction: Interaction,
        *,
        constants: bool = True,
    ) -> SliceGradient:
        r"""Take the gradient, which `wave` holds, from behind a slice to in front of it.

        With :math:`s = \psi t \bar g`, phase and decay have the gradients
        :math:`-\mathrm{Im}\, s` and :math:`-\mathrm{Re}\, s`; those of e and b are found where
        `constants` asks for them.
        """
        if interaction.mask is None:
            self.wave.mul_(self._transmission(projected_potential, interaction, conjugate=True))
            product, conjugate = self._memory()
            torch.mul(incident, torch.conj_physical(self.wave, out=conjugate), out=product)
        else:
            transmission = self._transmission(projected_potential, interaction)
            inner = _filtered(self.wave * incident.conj(), interaction.mask)
            self.wave.mul_(_filtered(transmission, interaction.mask).conj())
            product = transmission * inner.conj()
        return _slice_gradient(
            product.imag, product.real, projected_potential, interaction, constants=constants
        )

    def propagator_gradient(
        self,
        transmitted: Tensor,  # (..., y, x) complex
    ) -> Tensor:  # (..., y, x) complex
        """Gradient of the propagator; `wave` holds that of the propagated wave."""
        gradient = torch.fft.fft2(transmitted).conj_physical_()
        return gradient.mul_(torch.fft.fft2(self.wave, norm="forward"))

    def _memory(self) -> tuple[Tensor, Tensor]:
        """Two arrays like the wave, its own or shared."""
        if self._scratch is not None:
            return self._scratch._memory()
        if self._working is None:
            self._working = torch.empty_like(self.wave), torch.empty_like(self.wave)
        return self._working

    def _parts(self, real: Tensor, elastic: Tensor) -> tuple[Tensor, ...]:
        """Room for phase, cosine, sine and transmission function, as many as there are of these.

        The phase is done with before the transmission function takes its memory.
        """
        key = real.shape, elastic.shape
        if self._views is None or self._views[0] != key:
            shape = torch.broadcast_shapes(*key)
            first, second = self._memory()
            (phase, _), trigonometric = _halves(first, shape), _halves(second, shape)
            transmission = first.flatten()[: shape.numel()].view(shape)
            self._views = key, (phase, *trigonometric, transmission)
        return self._views[1]

    def _conjugate(self, propagator: Tensor) -> Tensor:
        """Made once: a lazy conjugate is made anew by every product."""
        if self._adjoint is None or self._adjoint[0] is not propagator:
            self._adjoint = propagator, torch.conj_physical(propagator)
        return self._adjoint[1]

    def _transmission(
        self, projected_potential: Tensor, interaction: Interaction, *, conjugate: bool = False
    ) -> Tensor:
        """Transmission function or its conjugate, in the first of the two arrays."""
        is_complex = projected_potential.is_complex()
        elastic, absorbing, _ = interaction
        real = projected_potential.real if is_complex else projected_potential
        phase, cosine, sine, transmission = self._parts(real, elastic)
        torch.mul(real, elastic, out=phase)
        if is_complex and absorbing is not None:
            phase.addcmul_(projected_potential.imag, absorbing, value=-1)
        torch.cos(phase, out=cosine)
        torch.sin(phase, out=sine)
        if is_complex or absorbing is not None:
            decay = phase
            if is_complex:
                torch.mul(projected_potential.imag, -elastic, out=decay)
            if absorbing is not None:
                decay = decay if is_complex else decay.zero_()
                decay.addcmul_(real, absorbing, value=-1)
            decay.exp_()
            cosine.mul_(decay)
            sine.mul_(decay)
        return torch.complex(cosine, sine.neg_() if conjugate else sine, out=transmission)


def _slice_gradient(
    phase: Tensor,  # (..., y, x)
    decay: Tensor,  # (..., y, x)
    projected_potential: Tensor,  # (..., y, x) V Å
    interaction: Interaction,
    *,
    constants: bool,
) -> SliceGradient:
    """Chain rule from minus the gradients of phase and decay to those of potential, e and b."""
    elastic, absorbing, _ = interaction
    shape = projected_potential.shape
    real, imaginary = projected_potential, None
    if projected_potential.is_complex():
        real, imaginary = projected_potential.real, projected_potential.imag
    gradient = phase * -elastic
    if absorbing is not None:
        gradient -= decay * absorbing
    if imaginary is not None:
        by_imaginary = decay * -elastic
        if absorbing is not None:
            by_imaginary += phase * absorbing
        gradient = torch.complex(gradient, by_imaginary)
    gradient = gradient.sum_to_size(shape)
    if not constants:
        return SliceGradient(gradient, None, None)
    by_elastic = phase * real
    by_absorbing = None if absorbing is None else decay * real
    if imaginary is not None:
        by_elastic += decay * imaginary
        if by_absorbing is not None:
            by_absorbing -= phase * imaginary
    if by_absorbing is not None and absorbing is not None:
        by_absorbing = by_absorbing.neg_().sum_to_size(absorbing.shape)
    return SliceGradient(gradient, by_elastic.neg_().sum_to_size(elastic.shape), by_absorbing)


def _halves(array: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Two real arrays in the memory of a complex one that is as large or larger."""
    floats = torch.view_as_real(array).flatten()[: 2 * shape.numel()]
    first, second = floats.view(2, *shape)
    return first, second


def _filtered(function: Tensor, mask: Tensor) -> Tensor:
    """Band-limited function."""
    return torch.fft.ifft2(torch.fft.fft2(function) * mask)
