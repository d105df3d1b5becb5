"""The panel: input, denoised, standard deviation if there is one, spectra."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from difftem.pictures import draw_image
from difftem.workflows.denoise.one_image import RingCurves

_LEAST = 1e-4  # of the noise's power: what is shown of the estimate's


def draw_panel(
    images: Sequence[tuple[str, Tensor]],
    curves: RingCurves,
    pixel_size: float | None,
    title: str,
) -> Figure:
    """Draw images beside the spectra.

    Parameters
    ----------
    images : sequence of tuple
        Title and image, ``(y, x)``.
    curves : RingCurves
        Of the same image.
    pixel_size : float or None
        Å; without one there are no scale bars.
    title : str
        One line.

    Returns
    -------
    Figure
        Of matplotlib, not registered with pyplot.
    """
    figure = Figure(figsize=(5.0 * len(images) + 5.0, 5.8))
    figure.subplots_adjust(0.01, 0.1, 0.985, 0.87, wspace=0.16)
    *left, right = figure.subplots(1, len(images) + 1)
    for axes, (name, image) in zip(left, images, strict=True):
        draw_image(axes, image, pixel_size)
        axes.set_title(name)
    _draw_curves(right, curves)
    figure.suptitle(title, y=0.98)
    return figure


def _draw_curves(axes: Axes, curves: RingCurves) -> None:
    """Ring averages of input, estimate and residual, in units of the noise."""
    q = curves.frequency.numpy()
    for name, values, style in (
        ("input", curves.observed, "C7"),
        ("denoised", curves.estimate, "C0"),
        ("residual", curves.residual, "C3"),
    ):
        axes.plot(q, values.clamp(min=_LEAST / 10).numpy(), style, linewidth=1, label=name)
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle=":", label="noise")
    axes.set_yscale("log")
    top = max(10.0, float(torch.quantile(curves.observed, 0.995)))
    axes.set_ylim(_LEAST, 3 * top)
    axes.set_xlim(0, 0.5)
    axes.set_xlabel("frequency (cycles/pixel)")
    axes.set_title("power, noise = 1")
    axes.legend(loc="upper right", fontsize=8)
