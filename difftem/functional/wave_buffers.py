"""Buffers for a wave on its way through slices without gradient."""

import torch
from torch import Tensor


class WaveBuffers:
    """A wave that changes in place: fresh arrays of this size cost page faults.

    Parameters
    ----------
    wave : Tensor
        Incident wave, complex; it is copied.
    """

    def __init__(self, wave: Tensor) -> None:
        self.wave = wave.clone(memory_format=torch.contiguous_format)
        self.transmission, self.spectrum = torch.empty_like(wave), torch.empty_like(wave)
        self.phase, self.cosine, self.sine = (torch.empty_like(wave.real) for _ in range(3))

    def transmit(
        self,
        projected_potential: Tensor,  # (..., y, x) V Å
        sigma: Tensor,  # () rad / (V Å)
    ) -> Tensor:  # (..., y, x) complex
        """Multiply the wave by a slice's transmission function; the imaginary part absorbs."""
        real = projected_potential.real if projected_potential.is_complex() else projected_potential
        torch.mul(real, sigma, out=self.phase)
        torch.cos(self.phase, out=self.cosine)
        torch.sin(self.phase, out=self.sine)
        if projected_potential.is_complex():
            decay = torch.mul(projected_potential.imag, -sigma, out=self.phase).exp_()
            self.cosine.mul_(decay)
            self.sine.mul_(decay)
        torch.complex(self.cosine, self.sine, out=self.transmission)
        return self.wave.mul_(self.transmission)

    def propagate(
        self,
        propagator: Tensor,  # (y, x) complex
    ) -> Tensor:  # (..., y, x) complex
        """Convolve the wave with a propagator."""
        torch.fft.fft2(self.wave, out=self.spectrum)
        return torch.fft.ifft2(self.spectrum.mul_(propagator), out=self.wave)
