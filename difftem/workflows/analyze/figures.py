"""Pictures of an analysis: likelihoods on the image, gradient maps, how the image repeats."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from difftem.analysis.atomic_columns import FoundColumns
from difftem.analysis.column_evidence import ColumnEvidence
from difftem.analysis.periodicity import Periodicity
from difftem.pictures import draw_array, draw_image
from difftem.workflows.analyze.gradients import COLUMN_DISTANCE, NamedGradient

_SHOWN = 11.0  # Å around the pixel of a gradient map
_BLUR = 5  # pixels over which the shown counts are averaged


def draw_likelihood(
    counts: Tensor,  # (y, x)
    expected: Tensor,  # (y, x)
    columns: FoundColumns,
    tested: Tensor,  # (k,)
    evidence: ColumnEvidence | None,
    pixel_size: float,
    title: str,
) -> Figure:
    """Draw counts, denoised image, and what was found of each column that was tested."""
    figure = Figure(figsize=(17.0, 5.6))
    figure.subplots_adjust(0.01, 0.05, 0.95, 0.86, wspace=0.08)
    left, middle, right = figure.subplots(1, 3)
    seen = torch.nn.functional.avg_pool2d(counts[None, None], _BLUR, 1, _BLUR // 2)[0, 0]
    for axes, image, name in (
        (left, seen, f"counts, averaged over {_BLUR} x {_BLUR} pixels"),
        (middle, expected, "denoised, columns found"),
        (right, expected, "ratio over its threshold (nats)"),
    ):
        draw_image(axes, image.cpu().float(), pixel_size)
        axes.set_title(name, fontsize=10)
    x, y = columns.positions.T.numpy()
    middle.plot(x, y, ".", color="C1", markersize=3)
    if evidence is not None and len(tested):
        x, y = columns.positions[tested].T.numpy()
        over = (evidence.ratio - evidence.threshold).numpy()
        most = max(float(np.abs(over).max()), 1e-6)
        dots = right.scatter(
            x, y, c=over, cmap="RdYlGn", vmin=-most, vmax=most, s=46, edgecolors="black"
        )
        figure.colorbar(dots, ax=right, fraction=0.046, pad=0.02)
        wrong = ~evidence.supported.numpy()
        right.plot(x[wrong], y[wrong], "x", color="black", markersize=9)
        right.set_xlabel("crosses: not supported by the counts", fontsize=9)
    figure.suptitle(title, fontsize=10)
    return figure


def draw_gradient(
    gradient: NamedGradient,
    expected: Tensor,  # (y, x)
    columns: FoundColumns,
    pixel_size: float,
    title: str,
) -> Figure:
    """Draw the denoised image around a pixel, the weights there, and how far they reach."""
    figure = Figure(figsize=(15.0, 5.2))
    figure.subplots_adjust(0.01, 0.12, 0.985, 0.84, wspace=0.12)
    left, middle, right = figure.subplots(1, 3)
    y, x = gradient.gradient.pixel
    reach = round(_SHOWN / pixel_size)
    draw_image(left, expected.cpu().float(), pixel_size)
    left.plot(x, y, "+", color="red", markersize=12)
    left.set_title("denoised", fontsize=10)
    left.set_xlim(max(x - reach, 0), min(x + reach, expected.shape[1] - 1))
    left.set_ylim(max(y - reach, 0), min(y + reach, expected.shape[0] - 1))
    draw_row(middle, gradient, columns, pixel_size)
    draw_reach(right, [(gradient.name, gradient)], pixel_size)
    figure.suptitle(f"{title}\n{gradient.sentence()}", fontsize=9)
    return figure


def draw_row(
    axes: Axes,
    gradient: NamedGradient,
    columns: FoundColumns,
    pixel_size: float,
) -> None:
    """Draw weights around their pixel, blue below zero and red above, columns as circles."""
    row = gradient.gradient.row.cpu()
    y, x = gradient.gradient.pixel
    reach = round(_SHOWN / pixel_size)
    bottom, left = max(y - reach, 0), max(x - reach, 0)
    part = row[bottom : y + reach + 1, left : x + reach + 1]
    # The pixels beside the centre outshine all others: 0.5 % of the weights are out of scale.
    most = float(part.abs().flatten().double().quantile(0.995).clamp(min=1e-12))
    ny, nx = part.shape
    extent = (left - 0.5, left + nx - 0.5, bottom - 0.5, bottom + ny - 0.5)
    draw_array(axes, part, (-most, most), "RdBu_r", extent)
    near = columns.positions.numpy()
    inside = (np.abs(near - np.array([x, y])) < reach).all(1)
    axes.plot(*near[inside].T, "o", mfc="none", mec="black", markersize=9, markeredgewidth=0.5)
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"weights of {gradient.name}, ± {most:.1e}", fontsize=10)


def draw_reach(
    axes: Axes, gradients: Sequence[tuple[str, NamedGradient]], pixel_size: float
) -> None:
    """Draw the share of energy within a radius."""
    radii = torch.linspace(0, 16.0, 60)
    for name, each in gradients:
        within = each.gradient.energy_within(radii / pixel_size)
        axes.plot(radii.numpy(), within.numpy(), label=name)
    axes.axvline(COLUMN_DISTANCE, color="grey", linestyle=":", linewidth=1)
    axes.set_xlabel("radius (Å); dotted: one column distance")
    axes.set_title("share of the squared weights within it", fontsize=10)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, 16)
    if len(gradients) > 1:
        axes.legend(fontsize=8)


def draw_periodicity(
    found: Periodicity,
    gradients: Sequence[NamedGradient],
    pixel_size: float,
    title: str,
) -> Figure:
    """Draw the autocorrelation of the image, and how far the weights of each pixel reach."""
    panels = 2 if gradients else 1
    figure = Figure(figsize=(5.5 * panels, 5.2))
    figure.subplots_adjust(0.12 / panels, 0.12, 0.985, 0.86, wspace=0.2)
    left, *others = figure.subplots(1, panels, squeeze=False)[0]
    correlation = found.autocorrelation
    ny, nx = correlation.shape
    reach = min(round(1.4 * _SHOWN / pixel_size), ny // 2, nx // 2)
    part = correlation[ny // 2 - reach : ny // 2 + reach, nx // 2 - reach : nx // 2 + reach]
    length = reach * pixel_size
    edges = (-length - pixel_size / 2, length - pixel_size / 2)  # shift 0 is a pixel's middle
    draw_array(left, part, (-0.5, 0.8), extent=(*edges, *edges))
    for x, y in (pixel_size * found.steps).tolist():
        left.plot([x, -x], [y, -y], "o", mfc="none", mec="C1")
    left.set(xlim=edges, ylim=edges)
    left.set_title("autocorrelation of the denoised image", fontsize=10)
    left.set_xlabel("shift (Å)")
    for right in others:
        draw_reach(right, [(each.name, each) for each in gradients], pixel_size)
    figure.suptitle(title, fontsize=10)
    return figure
