"""The method of a trained network, with the signature of all others."""

import torch
from torch import Tensor, nn

from difftem.baselines.summed import summed
from difftem.functional.wiener import wiener_estimate
from difftem.workflows.denoise.tiles import run_in_tiles


class NetworkMethod:
    """Let a network add to Wiener's estimate of the whole image what it finds in the counts.

    Parameters
    ----------
    network : Module
        ``(b, 2, y, x)`` to ``(b, 1, y, x)``.
    rotations : bool
        Average over eight orientations.
    progress : bool
        Show a bar.
    """

    def __init__(self, network: nn.Module, rotations: bool = False, progress: bool = False) -> None:
        self.network, self.rotations, self.progress = network, rotations, progress

    def __call__(
        self,
        exposures: Tensor,  # (n, y, x)
        electrons: float,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # (y, x)
        """Denoise whitened exposures.

        Parameters
        ----------
        exposures : Tensor
            Noise of variance 1 in each, shape ``(n, y, x)``.
        electrons : float
            Per pixel in each; not used.
        generator : torch.Generator, optional
            Not used.

        Returns
        -------
        Tensor
            Estimate of an exposure without noise, shape ``(y, x)``.
        """
        image, _, scale = summed(exposures, electrons)
        return self.run(self.network, image, wiener_estimate(image)) / scale

    def run(self, network: nn.Module, noisy: Tensor, wiener: Tensor) -> Tensor:  # (y, x)
        """Run a network in tiles with these settings."""
        return run_in_tiles(
            network, noisy, wiener, rotations=self.rotations, progress=self.progress
        )
