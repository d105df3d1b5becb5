"""The wave that changes in place, through Triton kernels where they serve."""

from torch import Tensor

from difftem.functional.wave_buffers import Interaction, SliceGradient, WaveBuffers
from difftem.ops.dispatch import use_triton
from difftem.ops.wave import fits


def wave_buffers(wave: Tensor, scratch: WaveBuffers | None = None) -> WaveBuffers:
    """Buffers for a wave on the device where it is.

    Parameters
    ----------
    wave, scratch
        As in `difftem.functional.wave_buffers.WaveBuffers`.

    Returns
    -------
    WaveBuffers
        With kernels, or plain.
    """
    return (TritonWaveBuffers if use_triton(wave) else WaveBuffers)(wave, scratch)


class TritonWaveBuffers(WaveBuffers):
    """Each step in one kernel; what the kernels do not serve stays with PyTorch."""

    def transmit(
        self, projected_potential: Tensor, interaction: Interaction, *, conjugate: bool = False
    ) -> Tensor:
        """Multiply the wave by a slice's transmission function, or by its conjugate."""
        if not self._serves(projected_potential, interaction):
            return super().transmit(projected_potential, interaction, conjugate=conjugate)
        from kernels_triton.multislice import transmit_fwd

        elastic, absorbing, _ = interaction
        return transmit_fwd(
            self.wave, projected_potential, elastic, absorbing, self.wave, conjugate
        )

    def propagate(self, propagator: Tensor, *, conjugate: bool = False) -> Tensor:
        """Convolve the wave with a propagator, or with its adjoint."""
        if not self._is_image(propagator):
            self.wave = super().propagate(propagator, conjugate=conjugate).contiguous()
            return self.wave
        from kernels_triton.multislice import propagate_fwd

        self.wave = propagate_fwd(self.wave, propagator, conjugate)
        return self.wave

    def transmit_adjoint(
        self,
        incident: Tensor,
        projected_potential: Tensor,
        interaction: Interaction,
        *,
        constants: bool = True,
    ) -> SliceGradient:
        """Take the gradient from behind a slice to in front of it."""
        if not self._serves(projected_potential, interaction):
            return super().transmit_adjoint(
                incident, projected_potential, interaction, constants=constants
            )
        from kernels_triton.multislice import transmit_bwd

        elastic, absorbing, _ = interaction
        _, gradient, sums = transmit_bwd(
            self.wave, incident, projected_potential, elastic, absorbing, self.wave, constants
        )
        if not constants:
            return SliceGradient(gradient, None, None)
        by_absorbing = None if absorbing is None else sums[1].reshape(absorbing.shape)
        return SliceGradient(gradient, sums[0].reshape(elastic.shape), by_absorbing)

    def _serves(self, projected_potential: Tensor, interaction: Interaction) -> bool:
        elastic, absorbing, mask = interaction
        return (
            mask is None
            and self._is_image(projected_potential)
            and fits(self.wave, projected_potential, elastic, absorbing)
        )

    def _is_image(self, other: Tensor) -> bool:
        """Whether there is one for all waves, or one for each."""
        return other.shape in (self.wave.shape, self.wave.shape[-2:])
