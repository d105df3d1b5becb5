"""Pictures of a comparison: files side by side on one grey scale, and their curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from difftem.pictures import draw_image
from difftem.workflows.compare.agreement import Agreement
from difftem.workflows.compare.load import Compared, Kind
from difftem.workflows.compare.options import THRESHOLDS
from difftem.workflows.compare.scores import fit_greys

_COLUMNS = 4  # images side by side
_WIDEST = 14.0  # inches
_FAINT = 0.1  # correlation below which noise would be all that one sees
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown of a file: its name, and an image or three slices with what they show."""

    name: str
    slices: list[tuple[str, Tensor]]


def shown_of(one: Compared, other: Compared, kind: Kind, is_truth: bool) -> Shown:
    """Take out an image or central slices, on the grey scale of another file.

    If that is the truth, the signal gets its contrast; else, and where the two have nothing in
    common, mean and standard deviation are made the same.
    """
    some = slice(None) if kind == "volume" else slice(1)  # the first image of a stack
    data, like = one.data[some], other.data[some]
    greys = fit_greys(data, like)
    own, true = float(data.std()), float(like.std())
    scale = true / own if own else 1.0
    offset = float(like.mean()) - scale * float(data.mean())
    if is_truth and greys.gain * true > _FAINT * own:
        scale, offset = 1 / greys.gain, -greys.level / greys.gain
    nz, ny, nx = data.shape
    slices = [("", data[0])]
    if kind == "volume":
        slices = [("xy", data[nz // 2]), ("xz", data[:, ny // 2]), ("zy", data[:, :, nx // 2].T)]
    return Shown(one.name, [(label, each * scale + offset) for label, each in slices])


def draw_panels(
    panels: Sequence[Shown], limits: tuple[float, float], pixel_size: float | None, side: float
) -> Any:
    """Draw files side by side: images in rows of four, each volume as a row of three slices.

    `limits` are black and white in all of them; a panel has a `side` in inches. Without a pixel
    size in Å there are no scale bars.
    """
    from matplotlib.figure import Figure  # slow to load

    shown = [
        (label if number else f"{panel.name}  {label}".strip(), image)
        for panel in panels
        for number, (label, image) in enumerate(panel.slices)
    ]
    columns = len(panels[0].slices) if len(panels[0].slices) > 1 else min(_COLUMNS, len(panels))
    rows = -(-len(shown) // columns)
    widths = [image.shape[1] / max(image.shape) for _, image in shown[:columns]]
    height = max(image.shape[0] / max(image.shape) for _, image in shown)
    side = min(side, _WIDEST / sum(widths))
    figure = Figure((side * sum(widths), (side * height + 0.2) * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, (title, image) in zip(grid.flat, shown, strict=False):
        draw_image(axes, image, pixel_size, limits)
        axes.set_title(title, fontsize=9)
    return figure


def draw_curves(curves: Sequence[Agreement], kind: Kind) -> Any:
    """Draw correlations over frequency, with thresholds and where they are crossed.

    Curves of sampled frequencies are solid, those of all frequencies dotted beside them.
    """
    from matplotlib.figure import Figure  # slow to load

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
            at, beyond = curve.crossing(threshold, kind)
            if at > 0 and not beyond:
                fill = colour if main else "white"
                axes.plot(at, threshold, "o", color=colour, markersize=5, markerfacecolor=fill)
    if has_sampled:
        axes.plot([], [], "k:", label="dotted: missing wedge included")
    end = max(float(curve.frequency[-1]) for curve in curves)
    for threshold in THRESHOLDS:
        axes.axhline(threshold, color="0.5", linewidth=0.8, linestyle="--")
        axes.text(end, threshold, f"{threshold:g}", ha="right", va="bottom", color="0.4", size=8)
    lowest = min(float(curve.correlation.min()) for curve in curves)
    axes.set(xlim=(0, end), ylim=(max(-1.02, min(-0.1, lowest - 0.03)), 1.02))
    axes.set_xlabel(f"frequency ({'1/Å' if curves[0].in_angstrom else 'cycles/pixel'})")
    axes.set_ylabel(f"{'FSC' if kind == 'volume' else 'FRC'} with {curves[0].against}")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, loc="upper right")
    return figure
