"""Whether atomic columns are bright, dark, or some of each."""

from typing import Literal, get_args

import torch
from torch import Tensor

from difftem.simulation.nanoparticles.focus_series import blur

ContrastClass = Literal["white", "black", "intermediate"]
CONTRASTS: tuple[str, ...] = get_args(ContrastClass)
MAJORITY = 0.8  # of the columns, for an image to be called white or black
_CORE, _SURROUNDINGS = 0.35, 1.6  # Å, of Gaussians about a column


def bright_share(
    image: Tensor,  # (y, x)
    positions: Tensor,  # (n, 2) pixels: x, y
    pixel_size: float,  # Å
) -> float:
    """Share of atomic columns that are brighter than their surroundings.

    Parameters
    ----------
    image : Tensor
        Intensity.
    positions : Tensor
        Of the columns that count, in pixels from the middle of the first one.
    pixel_size : float
        In Å.

    Returns
    -------
    float
        0 to 1; 0.5 without columns.
    """
    if not len(positions):
        return 0.5
    widths = torch.tensor([_CORE, _SURROUNDINGS])
    core, surroundings = blur(image.expand(2, -1, -1), widths, pixel_size)
    limits = torch.tensor([image.shape[1] - 1, image.shape[0] - 1])
    x, y = positions.round().long().clamp(min=torch.zeros(2).long(), max=limits).unbind(1)
    return float((core[y, x] > surroundings[y, x]).double().mean())


def contrast_class(share: float) -> ContrastClass:
    """Name an image by the share of its columns that are bright."""
    if share >= MAJORITY:
        return "white"
    return "black" if share <= 1 - MAJORITY else "intermediate"
