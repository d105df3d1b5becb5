"""Block matching: groups of patches that look alike, shrunk together."""

import torch
from torch import Tensor

from difftem.baselines.package import package
from difftem.baselines.stabilised import Image, denoise_counts, stabilise
from difftem.baselines.summed import summed

_SMALLEST = 8  # pixels: the side of a patch


def bmnd(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    binning: float = 6.0,
) -> Tensor:  # (y, x)
    """Block matching for Poisson counts themselves, on larger pixels (package bmnd, MIT).

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each.
    generator : torch.Generator, optional
        Not used.
    binning : float
        Side of the larger pixels that are denoised; finer detail is left out.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    Raises
    ------
    ValueError
        If bmnd is not installed.

    References
    ----------
    Duhme et al., BMND: Direct Poisson Denoising by N-Dimensional Block-Matching and Collaborative
    Filtering (2026).
    """
    library = package("bmnd", "baselines")
    profile = library.BM3DProfile(noise_model=library.NoiseModel.POISSON)
    image, total, scale = summed(exposures, electrons)

    def denoise(counts: Image) -> Image:
        found: Image = library.bmnd(counts, profile) if min(counts.shape) >= _SMALLEST else counts
        return found

    return denoise_counts(image, total, binning, denoise) / scale


def bm3d(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    binning: float = 3.0,
    sigma: float = 1.0,
) -> Tensor:  # (y, x)
    """BM3D on stabilised counts of larger pixels (package bm3d, for non-commercial use only).

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each.
    generator : torch.Generator, optional
        Not used.
    binning : float
        Side of the larger pixels that are denoised; finer detail is left out.
    sigma : float
        What BM3D is told of the noise, in its standard deviations.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    Raises
    ------
    ValueError
        If bm3d is not installed.

    References
    ----------
    Mäkinen, Azzari and Foi, IEEE Trans. Image Process. 29 (2020) 8339.
    """
    library = package("bm3d", "bm3d")
    profile = library.BM3DProfile()
    profile.num_threads = 1  # more give another result each time
    image, total, scale = summed(exposures, electrons)

    def denoise(values: Image) -> Image:
        found: Image = values
        if min(values.shape) >= _SMALLEST:
            found = library.bm3d(values, sigma, profile)
        return found

    return denoise_counts(image, total, binning, stabilise(denoise)) / scale
