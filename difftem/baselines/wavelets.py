"""Shrunk wavelet coefficients of stabilised counts."""

from itertools import product

import numpy as np
import torch
from torch import Tensor

from difftem.baselines.package import package
from difftem.baselines.stabilised import Image, denoise_counts, stabilise
from difftem.baselines.summed import summed

_SMALLEST = 16  # pixels: below, all coefficients are of the edges


def wavelets(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    binning: float = 4.0,
    wavelet: str = "sym4",
    shifts: int = 3,  # pixels
) -> Tensor:  # (y, x)
    """Shrink wavelet coefficients band by band (BayesShrink) after Anscombe's transform.

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
    wavelet : str
        Name in PyWavelets.
    shifts : int
        Averages over shifts by 0 to this many larger pixels along both axes.

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
    Chang, Yu and Vetterli, IEEE Trans. Image Process. 9 (2000) 1532; Coifman and Donoho,
    Translation-invariant de-noising (1995); `skimage.restoration`.
    """
    restoration = package("skimage.restoration", "baselines")
    levels = package("pywt", "baselines").dwtn_max_level
    image, electrons, scale = summed(exposures, electrons)

    def denoise(values: Image) -> Image:
        depth = levels(values.shape, wavelet)
        if min(values.shape) < _SMALLEST or depth < 1:
            return values
        mean = np.zeros_like(values)
        for shift in product(range(shifts + 1), repeat=2):
            moved = restoration.denoise_wavelet(
                np.roll(values, shift, (0, 1)),
                sigma=1.0,
                wavelet=wavelet,
                wavelet_levels=depth,
                method="BayesShrink",
                rescale_sigma=False,
            )
            mean += np.roll(moved, (-shift[0], -shift[1]), (0, 1))
        mean /= np.float32((shifts + 1) ** 2)
        return mean

    return denoise_counts(image, electrons, binning, stabilise(denoise)) / scale
