"""Denoise counts as if their noise were Gaussian: stabilise, denoise, invert without bias."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.baselines.coarse import coarser, finer
from difftem.functional.anscombe import anscombe, inverse_anscombe

Image = NDArray[np.float32]
_FEWEST = 16  # pixels a side: less binning for images that would become smaller


def denoise_counts(
    image: Tensor,  # (y, x)
    electrons: float,
    binning: float,
    denoise: Callable[[Image], Image],
) -> Tensor:  # (y, x)
    """Denoise the counts of larger pixels and give the estimate its pixels and mean back.

    Parameters
    ----------
    image : Tensor
        White noise of variance 1 and a signal, shape ``(y, x)``.
    electrons : float
        Mean counts per pixel.
    binning : float
        Side of the pixels that are denoised, see `difftem.baselines.coarse.coarser`.
    denoise : callable
        From counts of mean λ and variance λ, not negative, to λ.

    Returns
    -------
    Tensor
        In the units of `image`, shape ``(y, x)``.
    """
    coarse = coarser(image, min(binning, max(1.0, min(image.shape) / _FEWEST)))
    mean = electrons * image.numel() / coarse.numel()
    counts = (mean + mean**0.5 * coarse).clamp(min=0)
    estimate = denoise(counts.cpu().numpy().astype(np.float32))
    found = (torch.from_numpy(np.ascontiguousarray(estimate)).to(image) - mean) / mean**0.5
    found = found - found.mean() + coarse.mean()
    return finer(found, (image.shape[0], image.shape[1]))


def stabilise(
    denoise: Callable[[Image], Image],
) -> Callable[[Image], Image]:
    """Make a method for white Gaussian noise of variance 1 one for counts.

    Parameters
    ----------
    denoise : callable
        From an image with noise of variance 1 and mean 0 to one without.

    Returns
    -------
    callable
        From counts to their expected values.
    """

    def denoise_poisson(counts: Image) -> Image:
        values = anscombe(torch.from_numpy(counts)).numpy()
        level = values.mean(dtype=np.float64).astype(np.float32)
        estimate = np.asarray(denoise(values - level), dtype=np.float32) + level
        found: Image = inverse_anscombe(torch.from_numpy(estimate)).numpy()
        return found

    return denoise_poisson
