"""Pictures of what a network does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.pictures import draw_array

_NAMES = ("noisy", "Wiener", "denoised", "clean")


@dataclass(frozen=True, eq=False)
class Panel:
    """Images of one field: noisy, by Wiener's filter, denoised, clean or None.

    Attributes
    ----------
    images : list
        Each ``(y, x)``, whitened.
    electrons : float
        Per pixel.
    kind : str
        Of the specimen.
    """

    images: Sequence[Tensor | None]
    electrons: float
    kind: str


def draw_panels(
    panels: Sequence[Panel],
    side: int = 384,  # pixels
) -> Any:
    """Draw a row for each field: its middle, noise-free images in one range.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    side : int
        At most these many pixels.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    from matplotlib.figure import Figure

    figure = Figure((3.1 * len(_NAMES), 3.2 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), len(_NAMES), squeeze=False)
    for row, panel in zip(axes, panels, strict=True):
        shown = [None if each is None else _middle(each, side) for each in panel.images]
        # What is to be seen has the clean image's range; on blank ice there is only Wiener's noise.
        seen = [each for each in (shown[3], shown[1]) if each is not None]
        seen = [each for each in seen if float(each.std()) > 0] or seen
        low, high = torch.quantile(seen[0].flatten(), torch.tensor([0.002, 0.998])).tolist()
        for axis, name, image in zip(row, _NAMES, shown, strict=True):
            axis.set_axis_off()
            if image is None:
                continue
            limits = (-3.0, 3.0) if name == "noisy" else (low, max(high, low + 1e-6))
            draw_array(axis, image, limits)
            axis.set_title(name, fontsize=9)
        row[0].set_title(f"{panel.kind or 'noisy'}, {panel.electrons:.3g} e/pixel", fontsize=9)
    return figure


def draw_history(history: Sequence[Mapping[str, float]]) -> Any:
    """Draw the error over Wiener's against steps: the mean of the images, and the worst of them.

    Parameters
    ----------
    history : sequence of mapping
        ``step``, and ``val/ratio`` or ``val/loss``, of each validation.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    from matplotlib.figure import Figure

    figure = Figure((6.0, 4.0), layout="constrained")
    axis = figure.subplots()
    scored = any("val/ratio" in row for row in history)
    names = ("val/ratio", "val/ratio_worst") if scored else ("val/loss", "val/loss_wiener")
    for name in names:
        points = [(row["step"], row[name]) for row in history if name in row]
        if points:
            axis.plot(*zip(*points, strict=True), marker=".", label=name)
    if scored:
        axis.axhline(1.0, color="gray", lw=0.8)
    axis.set(xlabel="step", ylabel="NMSE over Wiener's" if scored else "loss")
    axis.legend()
    return figure


def _middle(image: Tensor, side: int) -> Tensor:  # (y, x)
    """Cut out the middle."""
    ny, nx = image.shape
    y, x = max(ny - side, 0) // 2, max(nx - side, 0) // 2
    return image[y : y + side, x : x + side]
