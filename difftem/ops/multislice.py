"""Multislice through the fastest steps of the device, with a gradient that fits in memory."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from difftem.functional.multislice_gradient import KEPT_BYTES, Plan, multislice_with_gradient
from difftem.functional.slice_source import ListedSlices, Slices, SliceSource, as_slices
from difftem.functional.wave import complex_dtype
from difftem.functional.wave_buffers import Interaction, WaveBuffers, interaction_constants
from difftem.ops.wave_buffers import wave_buffers


def multislice(
    projected_potential: Tensor | Slices | Iterable[Tensor],  # (..., n_slices, y, x) V Å
    sigma: Tensor,  # () rad / (V Å)
    propagator: Tensor,  # (..., y, x) complex
    amplitude_contrast: Tensor | None = None,  # (...)
    mask: Tensor | None = None,  # (y, x)
    *,
    unitary: bool = False,
    kept_bytes: int = KEPT_BYTES,
) -> Tensor:  # (..., y, x) complex
    """Send a plane wave through all slices, as `difftem.functional.multislice.multislice` does.

    Parameters
    ----------
    projected_potential : Tensor, Slices or iterable of Tensor
        Slices in V Å: stacked, made from atoms whenever they are needed, or streamed.
    sigma, propagator, amplitude_contrast, mask
        As in `difftem.functional.multislice.multislice`.
    unitary : bool
        The propagator has modulus 1 everywhere. Where nothing absorbs either, the backward pass
        leads the exit wave back instead of keeping waves.
    kept_bytes : int
        Slices from atoms are kept between forward and backward pass if they all fit in here.

    Returns
    -------
    Tensor
        Exit wave one slice thickness behind the last slice's plane.

    Raises
    ------
    ValueError
        Without any slice.

    Notes
    -----
    Without gradients one slice is held, the wave and its spectrum or next state; on a CPU two more
    arrays to work in. With them, of slices that are stacked or made from atoms, about
    ``2 sqrt(n_slices)`` waves and six to work in; a stream is collected first, from the first slice
    that needs a gradient. The gradient can be taken once: for higher derivatives use the function
    in `difftem.functional`.
    """
    slices = as_slices(projected_potential)
    real = slices.dtype.to_real()
    elastic, absorbing = interaction_constants(sigma.to(slices.device, real), amplitude_contrast)
    constants = [t for t in (elastic, absorbing, propagator) if t is not None]
    shape = torch.broadcast_shapes(slices.shape, *(t.shape for t in constants))
    # One number: whoever changes the wave makes an array of it.
    wave = torch.ones((), dtype=complex_dtype(slices.dtype), device=slices.device).expand(shape)
    run = _Run(wave, Interaction(elastic, absorbing, mask), propagator)
    if not torch.is_grad_enabled():
        return run.through(slices)
    is_needed = any(t.requires_grad for t in constants)
    if isinstance(slices, SliceSource):
        if not is_needed and not any(t.requires_grad for t in slices.tensors):
            return run.through(slices)
        source: SliceSource = slices
    else:
        stream = iter(slices)
        collected = list(stream) if is_needed else run.until_gradient(stream)
        if not collected:
            return run.wave
        source = ListedSlices(collected)
    absorbs = absorbing is not None or slices.dtype.is_complex
    lossless = unitary and mask is None and not absorbs
    plan = Plan(source, mask, lossless, wave_buffers, kept_bytes)
    return multislice_with_gradient(plan, run.wave, elastic, absorbing, propagator)


class _Run:
    """A wave on its way through slices that need no gradient."""

    def __init__(self, wave: Tensor, interaction: Interaction, propagator: Tensor) -> None:
        self._incident, self._interaction, self._propagator = wave, interaction, propagator
        self._buffers: WaveBuffers | None = None  # made for the first slice, if there is one

    @property
    def wave(self) -> Tensor:
        """Where it is now; whoever holds it keeps its memory."""
        return self._incident if self._buffers is None else self._buffers.wave

    def through(self, stream: Iterable[Tensor]) -> Tensor:
        """Pass all slices."""
        for slice_ in stream:
            self._step(slice_)
        return self.wave

    def until_gradient(self, stream: Iterator[Tensor]) -> list[Tensor]:
        """Pass slices up to the first that needs a gradient; collect that one and the others."""
        for slice_ in stream:
            if slice_.requires_grad:
                return [slice_, *stream]
            self._step(slice_)
        return []

    @torch.no_grad()
    def _step(self, slice_: Tensor) -> None:
        if self._buffers is None:
            self._buffers = wave_buffers(self._incident)
        self._buffers.transmit(slice_, self._interaction)
        self._buffers.propagate(self._propagator)
