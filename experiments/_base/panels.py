"""Denoised images side by side, all at one grey scale."""

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.pictures import draw_array


def low_passed(
    image: Tensor,  # (y, x)
    cutoff: float = 0.15,  # cycles/pixel
) -> Tensor:  # (y, x)
    """Leave out what is finer than a frequency, with a soft edge."""
    q = radius(frequency_grid((image.shape[-2], image.shape[-1]), 1.0, half=True))
    return apply_transfer(image, torch.sigmoid((cutoff - q) / 0.01).to(image))


def draw_rows(
    rows: list[tuple[str, dict[str, Tensor]]],
    path: Path,
    title: str = "",
    spread: float = 3.0,
    dpi: int = 110,
) -> None:
    """Draw rows of images; the grey scale of a row is that of its last image, ± `spread` sd.

    Parameters
    ----------
    rows : list
        Name of the row, and its images by name; a row may have fewer.
    path : Path
        PNG to write.
    title : str
        Above.
    spread : float
        Standard deviations on either side of 0 from black to white.
    dpi : int
        Of an image 2.6 inches wide.
    """
    from matplotlib.figure import Figure
    from PIL import Image

    n = max(len(images) for _, images in rows)
    figure = Figure(figsize=(2.6 * n, 2.8 * len(rows) + 0.3), layout="constrained")
    axes = np.atleast_2d(np.asarray(figure.subplots(len(rows), n, squeeze=False)))
    for line, (name, images) in zip(axes, rows, strict=True):
        scale = spread * float(list(images.values())[-1].std())
        for axis, (label, image) in zip(line, images.items(), strict=False):
            draw_array(axis, image, (-scale, scale))
            axis.set_title(label, fontsize=8)
        for axis in line[len(images) :]:
            axis.set_visible(False)
        line[0].set_ylabel(name, fontsize=8)
        for axis in line:
            axis.set_xticks([])
            axis.set_yticks([])
    figure.suptitle(title, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    Image.open(drawn).convert("L").save(path, optimize=True)  # all is grey: a third of the bytes
