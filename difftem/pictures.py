"""Images as every picture shows them: row 0 at the bottom, x to the right, y upwards.

So do IMOD, RELION and EMAN show an MRC file. Whatever is drawn on top, such as columns, boxes and
circles, has coordinates in pixels of the image: x is the column, y the row.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

# Larger images are binned: a panel has some 500 pixels.
PANEL_PIXELS = 1024
# Share of the field that a scale bar may take, and the round lengths to choose from (Å).
BAR_SHARE = 0.3
ROUND = (1, 2, 5)


def draw_array(
    axes: Any,
    image: Tensor,  # (y, x)
    limits: tuple[float, float] | None = None,
    cmap: str = "gray",
    extent: Sequence[float] | None = None,
) -> Any:
    """Draw an array with row 0 at the bottom, on axes that stay as they are.

    Parameters
    ----------
    axes : Axes
        Of matplotlib.
    image : Tensor
        Shape ``(y, x)``.
    limits : tuple of float, optional
        Values that are black and white. Default: `grey_limits` of the image.
    cmap : str
        Colours, by matplotlib's name.
    extent : sequence of float, optional
        Outer edges of the image: left, right, bottom, top. Default: in pixels, the middle of the
        first at 0, 0.

    Returns
    -------
    AxesImage
        Of matplotlib.

    Examples
    --------
    >>> import torch
    >>> from matplotlib.figure import Figure
    >>> from difftem.pictures import draw_array
    >>> axes = Figure().subplots()
    >>> _ = draw_array(axes, torch.rand(20, 30))
    >>> [float(each) for each in (*axes.get_xlim(), *axes.get_ylim())]
    [-0.5, 29.5, -0.5, 19.5]
    """
    low, high = limits or grey_limits(image)
    values = image.detach().cpu().numpy()
    return axes.imshow(values, cmap=cmap, vmin=low, vmax=high, origin="lower", extent=extent)


def draw_image(
    axes: Any,
    image: Tensor,  # (y, x)
    pixel_size: float | None,  # Å
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw an image, binned if it is large, with a scale bar and without ticks.

    Parameters
    ----------
    axes : Axes
        Of matplotlib; its coordinates are pixels of the image, binned or not.
    image : Tensor
        Shape ``(y, x)``.
    pixel_size : float or None
        In Å; without one there is no scale bar.
    limits : tuple of float, optional
        Grey values that are black and white. Default: `grey_limits` of the image as drawn.
    """
    bins = max(1, min(image.shape) // PANEL_PIXELS)
    binned = torch.nn.functional.avg_pool2d(image[None, None], bins)[0, 0]
    ny, nx = (n * bins for n in binned.shape)
    draw_array(axes, binned, limits, extent=(-0.5, nx - 0.5, -0.5, ny - 0.5))
    axes.set_xticks([])
    axes.set_yticks([])
    if pixel_size is not None:
        _scale_bar(axes, nx, pixel_size)


def grey_limits(image: Tensor) -> tuple[float, float]:
    """Grey limits that leave out the extreme half percent, of an array of any shape."""
    flat = image.flatten().float()
    step = max(1, len(flat) // 1_000_000)
    low, high = torch.quantile(flat[::step], flat.new_tensor([0.005, 0.995])).tolist()
    return low, high if high > low else low + 1.0


def bar_length(width: float) -> tuple[float, str]:
    """Choose a round length for a scale bar.

    Parameters
    ----------
    width : float
        Of the image in Å.

    Returns
    -------
    length : float
        In Å, three tenths of the width at most.
    label : str
        In nm, or Å below 1 nm.
    """
    lengths = [r * 10.0**e for e in range(-1, 6) for r in ROUND]
    length = max((each for each in lengths if each <= BAR_SHARE * width), default=lengths[0])
    return length, f"{length / 10:g} nm" if length >= 10 else f"{length:g} Å"


def _scale_bar(axes: Any, width: int, pixel_size: float) -> None:
    """Draw a bar of a round length with its label into an image so many pixels wide."""
    length, label = bar_length(width * pixel_size)
    span = length / pixel_size
    margin = 0.04 * width
    axes.plot([margin, margin + span], [margin, margin], color="white", linewidth=6)
    axes.plot([margin, margin + span], [margin, margin], color="black", linewidth=3)
    axes.text(
        margin + span / 2,
        1.6 * margin,
        label,
        ha="center",
        va="bottom",
        bbox={"facecolor": "white", "alpha": 0.7, "pad": 1.5, "linewidth": 0},
    )
