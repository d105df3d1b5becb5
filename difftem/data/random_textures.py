"""Random fields with the spectra of nothing in particular: what a denoiser must not take for noise.

They have power laws with cut-offs, rings or stripes, some clipped to one sign, some bounded by the
contours of another field.
"""

import math

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.scene.synthetic.draw import Draw


def random_texture(
    shape: tuple[int, int],
    draw: Draw,
) -> Tensor:  # (y, x)
    r"""Draw a random field with mean 0 and an rms of 0.5 to 20 %.

    Its amplitude falls as :math:`(q^2 + q_0^2)^{-p/2}` to a soft cut-off, with or without a
    preferred direction or a ring.

    Parameters
    ----------
    shape : tuple of int
        In pixels.
    draw : Draw
        Source of randomness.

    Returns
    -------
    Tensor
        Contrast, float32.
    """
    values = _field(shape, draw)
    if draw.chance(0.3):  # grains on a flat ground
        values = (values - draw.uniform(0.0, 1.5)).clamp(min=0)
    if draw.chance(0.4):  # islands
        mask = _field(shape, draw, (1.5, 3.0), (0.004, 0.03)) - draw.uniform(-0.5, 1.2)
        values = values * torch.sigmoid(mask * draw.log_uniform(2, 30))
    values = values - values.mean()
    sign = 1.0 if draw.chance(0.5) else -1.0
    # The darkest and brightest pixels stay within what contrast can be.
    scale = sign * draw.log_uniform(0.005, 0.2) / float(values.std().clamp(min=1e-6))
    return (scale * values).clamp(-0.95, 3.0)


def _field(
    shape: tuple[int, int],
    draw: Draw,
    powers: tuple[float, float] = (0.0, 2.5),
    knees: tuple[float, float] = (0.002, 0.1),
) -> Tensor:  # (y, x)
    """Gaussian field of variance 1."""
    qy, qx = frequency_grid(shape, 1.0, half=True, dtype=torch.float32)
    q = radius((qy, qx))
    power, knee, cut = draw.uniform(*powers), draw.log_uniform(*knees), draw.log_uniform(0.03, 0.5)
    amplitude = (q**2 + knee**2) ** (-power / 2) * torch.exp(-((q / cut) ** 4))
    if draw.chance(0.25):  # stripes
        angle, width = draw.uniform(0, math.pi), draw.log_uniform(0.05, 0.6)
        direction = torch.atan2(qy.expand_as(q), qx.expand_as(q))
        away = torch.sin(direction - angle) / width
        amplitude = amplitude * torch.exp(-0.5 * away**2)
    if draw.chance(0.2):  # a length that repeats
        middle, width = draw.log_uniform(0.02, 0.3), draw.log_uniform(0.003, 0.03)
        amplitude = torch.exp(-0.5 * ((q - middle) / width) ** 2)
    amplitude[0, 0] = 0
    noise = torch.randn(shape, generator=draw.generator)
    values = apply_transfer(noise, amplitude)
    return values / values.std().clamp(min=1e-6)
