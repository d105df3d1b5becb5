"""Non-local means on stabilised counts."""

import torch
from torch import Tensor

from difftem.baselines.package import package
from difftem.baselines.stabilised import Image, denoise_counts, stabilise
from difftem.baselines.summed import summed


def vst(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    binning: float = 8.0,
    strength: float = 0.5,
    patch: int = 5,  # pixels
    distance: int = 9,  # pixels
) -> Tensor:  # (y, x)
    """Average pixels whose surroundings look alike, after Anscombe's transform of larger pixels.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each.
    generator : torch.Generator, optional
        Not used.
    binning : float
        Side of the larger pixels; finer detail is left out.
    strength : float
        Difference that counts as alike, in standard deviations of the noise.
    patch, distance : int
        Side of the surroundings, and how far others are looked for, in larger pixels.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    Raises
    ------
    ValueError
        If scikit-image is not installed.

    References
    ----------
    Buades, Coll and Morel, Multiscale Model. Simul. 4 (2005) 490; `skimage.restoration`.
    """
    restoration = package("skimage.restoration", "baselines")
    image, total, scale = summed(exposures, electrons)

    def denoise(values: Image) -> Image:
        if min(values.shape) < patch:
            return values
        found: Image = restoration.denoise_nl_means(
            values, patch_size=patch, patch_distance=distance, h=strength, sigma=1.0
        )
        return found

    return denoise_counts(image, total, binning, stabilise(denoise)) / scale
