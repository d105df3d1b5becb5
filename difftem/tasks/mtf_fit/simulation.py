"""Losses of simulated flat fields: counts through the detector, compared with measured crops."""

import torch
from torch import Tensor

from difftem.analysis.noise_spectrum import collapse_rings, mean_periodogram
from difftem.analysis.ring_bins import bin_rings
from difftem.functional.detector import add_read_noise
from difftem.losses.focal_frequency import pairwise_loss
from difftem.losses.log_spectrum import log_spectrum_loss
from difftem.modules.detector import Detector
from difftem.modules.poisson import PoissonLayer
from difftem.tasks.mtf_fit.collect import SpectrumSum
from difftem.tasks.mtf_fit.model import NoiseSpectrum

_RATE = 10.0  # electrons/pixel where the gain is unknown; the spectrum does not depend on it


class SimulatedNoise:
    """Flat fields of a model's spectrum, as the simulator makes them.

    Parameters
    ----------
    model : NoiseSpectrum
        Whose parameters the losses depend on.
    gain : float, optional
        Grey values per electron: sets the rate of the counts.
    n_bins : int
        Of the spectra.
    pairwise : tuple of float
        Gamma, focal weight and squared weight.
    seed : int
        Of the counts.
    """

    def __init__(
        self,
        model: NoiseSpectrum,
        gain: float | None,
        n_bins: int,
        pairwise: tuple[float, float, float],
        seed: int,
    ) -> None:
        self.model, self.gain, self.n_bins, self.pairwise = model, gain, n_bins, pairwise
        self.poisson, self.detector = PoissonLayer(), Detector(model.mtf)
        self.seed = seed
        self.generator = torch.Generator().manual_seed(seed)

    def to(self, device: torch.device) -> None:
        """Draw on a device from now on."""
        if self.generator.device.type != device.type:
            self.generator = torch.Generator(device).manual_seed(self.seed)

    def spectrum_loss(self, images: Tensor, collected: SpectrumSum) -> Tensor:
        """Distance of the log spectra of the crops and of as many simulated ones."""
        _ = collected.measurement()  # finds the outliers
        measured, simulated = (
            bin_rings(
                collapse_rings(
                    mean_periodogram(crops, collected.window),
                    (images.shape[-2], images.shape[-1]),
                    len(images),
                    limits=collected.limits,
                    keep=collected.keep,
                ),
                self.n_bins,
            )
            for crops in (images, self._draw(images, None))
        )
        return log_spectrum_loss(simulated, measured)

    def image_loss(self, images: Tensor, means: Tensor) -> Tensor:
        """Distance of each crop and an independent simulated one, both without their means."""
        simulated = self._draw(images, means)
        without_mean = simulated - simulated.mean((-2, -1), keepdim=True)
        centered = images - images.mean((-2, -1), keepdim=True)
        return pairwise_loss(without_mean, centered, *self.pairwise)

    def _draw(self, images: Tensor, means: Tensor | None) -> Tensor:
        """Simulate as many flat fields of the model's s0."""
        rate = torch.full_like(images, _RATE)
        if self.gain is not None:
            level = self.model.s0.detach() / self.gain if means is None else means
            rate = (level.to(images) / self.gain).view(-1, 1, 1).expand(images.shape)
        counts = self.poisson(rate, self.generator)
        amplitude = torch.sqrt(self.model.s0).to(images) / torch.sqrt(rate)
        grey = amplitude * self.detector(counts - rate)
        if self.model.read_variance.requires_grad or float(self.model.read_variance) > 0:
            noise = torch.sqrt(self.model.read_variance).to(images)
            grey = add_read_noise(grey, noise, self.generator)
        return grey
