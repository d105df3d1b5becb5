"""Label images: which particle, or which copy, each pixel shows."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def label_mask(
    positions: Tensor,  # (n, 3) Å
    footprints: Tensor | Sequence[Tensor],  # (n,) Å, or n times (h, w)
    labels: Tensor,  # (n,)
    shape: tuple[int, int],
    pixel_size: float,
) -> Tensor:  # (y, x) int32
    """Paint the footprint of every copy with its label; 0 is background.

    Copies are painted in order of z, so that what lies further down the beam stands on top.
    ``scene.types() + 1`` as labels makes a semantic mask, ``arange(1, n + 1)`` one of instances.

    Parameters
    ----------
    positions : Tensor
        x, y, z in Å, shape ``(n, 3)``; the origin is pixel (ny // 2, nx // 2).
    footprints : Tensor or sequence of Tensor
        Radius of each copy's disc in Å, ``(n,)``; or a boolean image (h, w) of each copy whose
        pixel (h // 2, w // 2) comes to lie on the pixel nearest to the copy. One is looked up at
        a time, so a sequence may make them as they are asked for.
    labels : Tensor
        1 or more, integers, ``(n,)``.
    shape : tuple of int
        Rows and columns (y, x) of the image.
    pixel_size : float
        In Å.

    Returns
    -------
    Tensor
        int32, ``(y, x)``.

    Raises
    ------
    ValueError
        If the numbers of positions, footprints and labels differ, or a label is below 1.
    """
    n = len(positions)
    if len(footprints) != n or len(labels) != n:
        raise ValueError(
            f"need a footprint and a label for each of {n} positions, "
            f"got {len(footprints)} and {len(labels)}"
        )
    if n and int(labels.min()) < 1:
        raise ValueError(f"labels must be 1 or more, got {int(labels.min())}")
    image = np.zeros(shape, dtype=np.int32)
    center = np.array([shape[1] // 2, shape[0] // 2])
    pixels = positions[:, :2].double().numpy() / pixel_size + center
    values = labels.to(torch.int32).numpy()
    for i in torch.argsort(positions[:, 2], stable=True).tolist():
        x, y = pixels[i].tolist()
        if isinstance(footprints, Tensor) and footprints.ndim == 1:
            _paint_disc(image, x, y, float(footprints[i]) / pixel_size, values[i])
        else:
            _paint(image, round(x), round(y), footprints[i].numpy(), values[i])
    return torch.from_numpy(image)


def _paint(
    image: NDArray[np.int32], x: int, y: int, mask: NDArray[np.bool_], value: np.int32
) -> None:
    """Write a value where a mask, centred at a pixel, is true; what leaves the image is cut."""
    height, width = mask.shape
    top, left = y - height // 2, x - width // 2
    rows = slice(max(top, 0), min(top + height, image.shape[0]))
    columns = slice(max(left, 0), min(left + width, image.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        np.copyto(image[rows, columns], value, where=part)


def _paint_disc(image: NDArray[np.int32], x: float, y: float, r: float, value: np.int32) -> None:
    """Write a value in the pixels whose centres lie within a disc."""
    rows = np.arange(max(math.ceil(y - r), 0), min(math.floor(y + r) + 1, image.shape[0]))
    columns = np.arange(max(math.ceil(x - r), 0), min(math.floor(x + r) + 1, image.shape[1]))
    if len(rows) and len(columns):
        inside = (rows[:, None] - y) ** 2 + (columns - x) ** 2 <= r**2
        part = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        np.copyto(part, value, where=inside)
