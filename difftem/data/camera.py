"""Cameras as whitened images show them: which share of the signal is left beside white noise."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.modules.detector import Detector
from difftem.scene.synthetic.draw import Draw

# Counting cameras whose noise is white: their MTF is left. Others blur signal and noise alike.
_WHITE = ("k2_300kv", "k3_300kv")
CAMERAS = {"ideal": 0.25, "k2_300kv": 0.2, "k3_300kv": 0.2, "random": 0.35}
READ_NOISE = 0.15  # share of the images


def draw_transfer(
    shape: tuple[int, int],
    draw: Draw,
) -> Tensor:  # (y, x // 2 + 1)
    r"""Draw the signal's amplitude beside white noise of variance 1, 1 at frequency 0.

    Of a camera whose noise is blurred as its signal is (Falcon), whitening restores the signal:
    as "ideal". One that counts whole electrons (K2, K3) has white noise and keeps its MTF. The
    random ones fall as :math:`e^{-a (2 q)^b}` to 30 to 100 % at Nyquist.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    draw : Draw
        Source of randomness.

    Returns
    -------
    Tensor
        On the half grid of a real transform, float32.
    """
    camera = draw.weighted(CAMERAS)
    depth, power = draw.uniform(0.0, 1.2), draw.uniform(0.8, 3.0)
    if camera in _WHITE:
        return _preset(camera, shape)
    if camera == "ideal":
        depth = 0.0
    return torch.exp(-depth * (2 * _frequency(shape)) ** power)


@lru_cache(8)
def _preset(name: str, shape: tuple[int, int]) -> Tensor:
    with torch.no_grad():
        return Detector.from_preset(name).mtf(_frequency(shape)).float()


@lru_cache(4)
def _frequency(shape: tuple[int, int]) -> Tensor:
    return radius(frequency_grid(shape, 1.0, half=True, dtype=torch.float32))


def draw_read_noise(electrons: float, draw: Draw) -> float:
    """Draw a readout's standard deviation in electrons: at most as large as the shot noise."""
    share = draw.log_uniform(0.05, 1.0)
    return share * math.sqrt(electrons) if draw.chance(READ_NOISE) else 0.0
