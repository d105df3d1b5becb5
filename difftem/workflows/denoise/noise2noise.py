"""Noise2Noise: the network of its authors, trained on pairs of noisy images."""

import os
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from difftem.baselines.summed import summed
from difftem.io.errors import InputError, input_error
from difftem.networks import Noise2NoiseUNet
from difftem.workflows.denoise.load_network import load_network
from difftem.workflows.denoise.tiles import run_in_tiles

VARIABLE = "DIFFTEM_NOISE2NOISE"
CONFIG = "experiments/noise2noise_training/fit.yaml"


def noise2noise(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    weights: str | Path | None = None,
) -> Tensor:  # (y, x)
    """Denoise with the UNet of Noise2Noise, which sees nothing but the whitened values.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each; not used.
    generator : torch.Generator, optional
        Not used.
    weights : str or Path, optional
        File ``NAME.safetensors`` that training has left. Default: the one that
        DIFFTEM_NOISE2NOISE names.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    Raises
    ------
    InputError
        Without weights, in one line with the command that trains them; for those of another
        network.

    References
    ----------
    Lehtinen et al., ICML (2018).
    """
    image, _, scale = summed(exposures, electrons)
    network = _loaded(str(noise2noise_weights(weights))).to(image.device)
    return run_in_tiles(network, image, image) / scale


def noise2noise_weights(weights: str | Path | None = None) -> Path:
    """Find the weights that were given, or that DIFFTEM_NOISE2NOISE names.

    Parameters
    ----------
    weights : str or Path, optional
        File.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        If neither names one.
    """
    found = weights or os.environ.get(VARIABLE)
    if not found:
        raise InputError(
            f"method noise2noise has no weights of its own: difftem fit --config {CONFIG} trains "
            f"them in half an hour, --weights FILE or ${VARIABLE} names them"
        )
    return Path(found).expanduser()


@lru_cache(maxsize=1)
def _loaded(path: str) -> nn.Module:
    """Load a network once."""
    network = load_network(path)
    if not isinstance(network, Noise2NoiseUNet):
        raise input_error(path, f"must hold a Noise2NoiseUNet, got {type(network).__name__}")
    return network
