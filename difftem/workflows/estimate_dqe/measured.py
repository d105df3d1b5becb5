"""Noise power and DQE of a detector, frequency by frequency."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.analysis.dqe import (
    detective_quantum_efficiency,
    normalised_noise_power,
    relative_dqe,
)
from difftem.analysis.ring_bins import bin_rings
from difftem.tasks.mtf_fit import MTFFitResult

_BINS = 25  # from 0 to 0.5 cycles/pixel
SIGMAS = 1.959964


@dataclass(frozen=True, eq=False)
class MeasuredDQE:
    """Curves in bins of 0.02 cycles/pixel; errors are one standard deviation.

    Attributes
    ----------
    frequency : Tensor
        Mean of each bin, cycles/pixel, shape ``(n,)``.
    mtf, mtf_error : Tensor
        Of the signal.
    nps, nps_error : Tensor
        Noise power, grey values².
    nnps : Tensor
        Over the squared mean, pixels.
    ntf : Tensor
        Square root of the noise power over its fitted value at zero.
    dqe, dqe_error : Tensor
        Without a dose, over DQE(0).
    dqe0, dqe0_error : float
        DQE(0); 1 and 0 without a dose.
    """

    frequency: Tensor
    mtf: Tensor
    mtf_error: Tensor
    nps: Tensor
    nps_error: Tensor
    nnps: Tensor
    ntf: Tensor
    dqe: Tensor
    dqe_error: Tensor
    dqe0: float
    dqe0_error: float

    def band(self) -> tuple[Tensor, Tensor]:  # (n,), (n,)
        """Lower and upper end of the 95 % band of the DQE."""
        return self.dqe - SIGMAS * self.dqe_error, self.dqe + SIGMAS * self.dqe_error


def measured_dqe(
    noise: MTFFitResult,
    edge: tuple[Tensor, Tensor, Tensor],  # 3 x (m,)
    mean: float,
    fluence: float | None,
) -> MeasuredDQE:
    r"""Put noise power and edge together.

    Noise power is that of the periodogram in bins, not of the fit; the fit gives its value at zero.
    Errors of noise power (1 over the root of the ordinates of a bin) and of the MTF are
    independent,

    .. math:: (\Delta D / D)^2 = (2 \Delta\mathrm{MTF} / \mathrm{MTF})^2 + 1 / \nu

    Parameters
    ----------
    noise : MTFFitResult
        Fit with a free level to the noise of flat fields.
    edge : tuple of Tensor
        Frequency, MTF and its standard error.
    mean : float
        Grey value of the flat fields.
    fluence : float, optional
        Electrons that reached a pixel of them. Default: the DQE is relative to DQE(0).

    Returns
    -------
    MeasuredDQE
        Curves.
    """
    bins = bin_rings(noise.spectrum, _BINS)
    power, frequency = bins.power - noise.read_noise**2, bins.frequency
    mtf, mtf_error = (_interpolated(frequency, edge[0], values) for values in edge[1:])
    level = torch.tensor(mean, dtype=torch.float64)
    nnps = normalised_noise_power(power, level)
    ntf = torch.sqrt(power.clamp(min=0.0) / noise.s0)
    if fluence is None:
        dqe, dqe0, dqe0_error = relative_dqe(mtf, ntf), 1.0, 0.0
        of_zero = noise.s0_error / noise.s0
    else:
        dqe = detective_quantum_efficiency(mtf, nnps, fluence)
        dqe0 = mean**2 / (fluence * noise.s0)
        dqe0_error, of_zero = dqe0 * noise.s0_error / noise.s0, 0.0
    of_noise = bins.ordinates.rsqrt()
    relative = torch.sqrt((2 * mtf_error / mtf) ** 2 + of_noise**2 + of_zero**2)
    return MeasuredDQE(
        frequency,
        mtf,
        mtf_error,
        power,
        power * of_noise,
        nnps,
        ntf,
        dqe,
        dqe * relative if math.isfinite(dqe0) else torch.full_like(dqe, torch.nan),
        dqe0,
        dqe0_error,
    )


def _interpolated(at: Tensor, frequency: Tensor, values: Tensor) -> Tensor:
    """Linear interpolation on an even grid from zero."""
    place = (at / (frequency[1] - frequency[0])).clamp(0, len(frequency) - 1 - 1e-9)
    left = place.long()
    return torch.lerp(values[left], values[left + 1], place - left)
