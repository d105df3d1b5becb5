"""Pictures of a comparison: files side by side on one grey scale, and their curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.workflows.compare.agreement import Agreement, Which
from difftem.workflows.compare.load import Kind
from difftem.workflows.compare.options import THRESHOLDS
from difftem.workflows.compare.scores import fit_greys

_COLUMNS = 4  # images side by side
_FAINT = 0.1  # correlation below which noise would be all that one sees
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


@dataclass(frozen=True, eq=False)
class Panel:
    """What is shown of a file.

    Attributes
    ----------
    name : str
        Of the file.
    slices : list of tuple of str and Tensor
        An image, or three central slices of a volume, with what they show.
    """

    name: str
    slices: list[tuple[str, Tensor]]


def panel_of(name: str, data: Tensor, kind: Kind, greys: tuple[float, float]) -> Panel:
    """Take out what is shown.

    Parameters
    ----------
    name : str
        Of the file.
    data : Tensor
        Images ``(n, y, x)``, of which the first is shown, or a volume ``(z, y, x)``.
    kind : {"images", "volume"}
        What it is.
    greys : tuple of float
        Scale and offset of its grey values.

    Returns
    -------
    Panel
        With copies, so that the file may be forgotten.
    """
    if kind == "volume":
        nz, ny, nx = data.shape
        shown = [
            ("xy", data[nz // 2]),
            ("xz", data[:, ny // 2]),
            ("zy", data[:, :, nx // 2].T),
        ]
    else:
        shown = [("", data[0])]
    scale, offset = greys
    return Panel(name, [(label, each.float() * scale + offset) for label, each in shown])


def shown_greys(data: Tensor, other: Tensor, is_truth: bool) -> tuple[float, float]:
    """Scale and offset that show a file on the grey scale of another one.

    Parameters
    ----------
    data, other : Tensor
        Of one shape.
    is_truth : bool
        Whether `other` is the truth: then the signal gets its contrast, else mean and standard
        deviation are the same; so too where the two have nothing in common.

    Returns
    -------
    tuple of float
        Scale and offset.
    """
    greys = fit_greys(data, other)
    own, true = (float(each.std()) for each in (data, other))
    if is_truth and greys.gain * true > _FAINT * own:
        return 1 / greys.gain, -greys.level / greys.gain
    scale = true / own if own else 1.0
    return scale, float(other.mean()) - scale * float(data.mean())


def draw_panels(
    panels: Sequence[Panel],
    limits: tuple[float, float],
    pixel_size: float | None,
    side: float = 3.4,
) -> Any:
    """Draw files side by side: images in rows of four, each volume as a row of three slices.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    limits : tuple of float
        Grey values that are black and white in all of them.
    pixel_size : float or None
        Å; without one there are no scale bars.
    side : float
        Of a panel in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.figure import Figure  # slow to load

    from difftem.simulation.preview import draw_image

    shown = [
        (label if number else f"{panel.name}  {label}".strip(), image)
        for panel in panels
        for number, (label, image) in enumerate(panel.slices)
    ]
    columns = len(panels[0].slices) if len(panels[0].slices) > 1 else min(_COLUMNS, len(panels))
    rows = -(-len(shown) // columns)
    first = [image.shape for _, image in shown[:columns]]
    widths = [shape[1] / shape[0] for shape in first] if rows == 1 else [1.0] * columns
    heights = [max(image.shape[0] / image.shape[1] for _, image in shown)] if rows > 1 else [1.0]
    scale = min(1.0, 14 / (side * sum(widths)))
    size = (side * scale * sum(widths), (side * heights[0] * scale + 0.2) * rows)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, (title, image) in zip(grid.flat, shown, strict=False):
        draw_image(axes, image, pixel_size, limits)
        axes.set_title(title, fontsize=9)
    return figure


def draw_curves(curves: Sequence[Agreement], kind: Kind, pixel_size: float | None) -> Any:
    """Draw correlations over frequency, with thresholds and where they are crossed.

    Parameters
    ----------
    curves : sequence of Agreement
        Those of sampled frequencies are solid, with those of all frequencies dotted beside them.
    kind : {"images", "volume"}
        Tells which crossing is marked.
    pixel_size : float or None
        Å; without one frequencies are in cycles/pixel.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.figure import Figure  # slow to load

    which: Which = "first" if kind == "volume" else "last"
    name = "FSC" if kind == "volume" else "FRC"
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    names = list(dict.fromkeys(curve.name for curve in curves))
    has_sampled = any(curve.sampled for curve in curves)
    for curve in sorted(curves, key=lambda curve: not curve.sampled):
        colour = _COLOURS[names.index(curve.name) % len(_COLOURS)]
        main = curve.sampled or not has_sampled
        x, y = curve.frequency.numpy(), curve.correlation.numpy()
        axes.plot(x, y, "-" if main else ":", color=colour, label=curve.name if main else None)
        for threshold in THRESHOLDS:
            at = curve.crossing(threshold, which)
            if at > 0 and not curve.is_above(threshold, which):
                fill = colour if main else "white"
                axes.plot(at, threshold, "o", color=colour, markersize=5, markerfacecolor=fill)
    if has_sampled:
        axes.plot([], [], "k:", label="dotted: missing wedge included")
    end = max(float(curve.frequency[-1]) for curve in curves)
    for threshold in THRESHOLDS:
        axes.axhline(threshold, color="0.5", linewidth=0.8, linestyle="--")
        axes.text(end, threshold, f"{threshold:g}", ha="right", va="bottom", color="0.4", size=8)
    lowest = min(float(torch.min(curve.correlation)) for curve in curves)
    axes.set(xlim=(0, end), ylim=(max(-1.02, min(-0.1, lowest - 0.03)), 1.02))
    axes.set_xlabel("frequency (1/Å)" if pixel_size else "frequency (cycles/pixel)")
    axes.set_ylabel(f"{name} with {curves[0].against}")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, loc="upper right")
    return figure
