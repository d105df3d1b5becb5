"""Blocks of an image that training never sees."""

from typing import NamedTuple

import torch
from torch import Tensor

_SIDES = (32, 128)  # pixels
_PART = 6  # one block of so many


class HeldOutBlocks(NamedTuple):
    """Square blocks.

    Attributes
    ----------
    corners : list of (int, int)
        First row and column of each.
    side : int
        Pixels.
    """

    corners: list[tuple[int, int]]
    side: int

    def mask(
        self,
        shape: tuple[int, int],
    ) -> Tensor:  # (y, x) bool
        """Mark the pixels of all blocks."""
        mask = torch.zeros(shape, dtype=torch.bool)
        for y, x in self.corners:
            mask[y : y + self.side, x : x + self.side] = True
        return mask


def choose_blocks(
    shape: tuple[int, int], generator: torch.Generator | None = None
) -> HeldOutBlocks:
    """Draw one block of six of a square lattice.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` of the image.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    HeldOutBlocks
        An eighth of the shorter side across, between 32 and 128 pixels.

    Raises
    ------
    ValueError
        If the image has no two blocks of 32 pixels a side along its shorter side.
    """
    least = _SIDES[0]
    if min(shape) < 2 * least:
        raise ValueError(
            f"an image must have at least {2 * least} pixels a side to be learned from, got "
            f"{shape[1]} x {shape[0]} (x, y)"
        )
    side = min(max(min(shape) // 8, least), _SIDES[1])
    rows, columns = shape[0] // side, shape[1] // side
    number = max(rows * columns // _PART, 2)
    drawn = torch.randperm(rows * columns, generator=generator)[:number].tolist()
    return HeldOutBlocks([(side * (i // columns), side * (i % columns)) for i in drawn], side)
