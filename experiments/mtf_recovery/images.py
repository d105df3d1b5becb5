"""How much a wrong MTF changes an image."""

import numpy as np
import torch

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from experiments.mtf_recovery.collect import Curve

_SIZE = 256
_CONTRAST = 0.1  # rms of the smooth scene under the counts


def image_difference(
    curve: dict[str, Curve],
    dose: float,  # e/pixel
) -> tuple[float, float]:
    """Mean and maximum of |h_fit * C - h_true * C| over the mean of C, in percent.

    C is one and the same Poisson image of a smooth scene.
    """
    frequency = radius(frequency_grid((_SIZE, _SIZE), 1.0, half=True)).double()
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(_SIZE, _SIZE, generator=generator, dtype=torch.float64)
    scene = apply_transfer(noise, torch.exp(-((frequency / 0.03) ** 2)))
    scene = 1 + _CONTRAST * (scene - scene.mean()) / scene.std()
    counts = torch.poisson(dose * scene.clamp(min=0.1), generator=generator)
    both = [
        apply_transfer(counts, torch.from_numpy(np.interp(frequency, curve["frequency"], curve[k])))
        for k in ("mtf", "truth")
    ]
    difference = (both[0] - both[1]).abs() / dose * 100
    return float(difference.mean()), float(difference.max())
