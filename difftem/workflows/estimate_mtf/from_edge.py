"""The MTF from images of a slanted knife edge."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from difftem.analysis.edge_spread import EdgeMTF, slanted_edge_mtf
from difftem.data.knife_edge import EdgeFacts, KnifeEdge
from difftem.io.account import counted
from difftem.io.errors import input_error
from difftem.tasks.report import Table
from difftem.workflows.estimate_mtf.options import EstimateOptions

_STRIP = 64  # pixels of edge, the least that gives a curve of its own
_MOST_STRIPS = 16
# What the fitted curve misses of published cameras without any noise, 0.006 at most, as an error,
# and the frequency (cycles/pixel) from which on it may.
_MISFIT, _NARROWEST = 0.003, 0.005
# Student's t at 97.5 % for 2, 3, ... degrees of freedom, and its course beyond.
_T = (4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145)


@dataclass(frozen=True)
class EdgeEstimate:
    """Curve of an edge with errors from strips of it.

    Attributes
    ----------
    frequency, curve, standard_error : Tensor
        Errors are NaN where the edge is too short to be cut into strips; from few strips they
        are made larger, so that 1.96 of them are a 95 % band.
    first : EdgeMTF
        Of the first image, for a figure.
    facts : EdgeFacts
        Of the images.
    strips : int
        Pieces that the errors are from.
    """

    frequency: Tensor
    curve: Tensor
    standard_error: Tensor
    first: EdgeMTF
    facts: EdgeFacts
    strips: int

    def table(self) -> Table:
        """Curve and errors at all frequencies."""
        reach = 1.96 * self.standard_error
        columns = {
            "frequency": self.frequency,
            "mtf": self.curve,
            "lower_95": self.curve - reach,
            "upper_95": self.curve + reach,
            "standard_error": self.standard_error,
        }
        return Table(list(columns), torch.stack(list(columns.values()), 1).tolist())


def estimate_edge(options: EstimateOptions) -> EdgeEstimate:
    """Read the images, find the edges, and average their curves.

    Parameters
    ----------
    options : EstimateOptions
        What was asked for.

    Returns
    -------
    EdgeEstimate
        Mean over images; errors from the scatter of strips along the edges.

    Raises
    ------
    ValueError
        For bad input, or an edge that is not inclined by 1 to 20 degrees.
    """
    data = KnifeEdge(options.micrographs, box=options.edge_box)
    images, facts = data.crops.images, data.facts
    try:
        return edge_curve(images, facts)
    except ValueError as error:
        raise input_error(", ".join(facts.fields), error) from error


def edge_curve(
    images: Tensor,  # (n, y, x)
    facts: EdgeFacts,
) -> EdgeEstimate:
    """Average the curves of images of an edge.

    Parameters
    ----------
    images : Tensor
        Shape ``(n, y, x)``.
    facts : EdgeFacts
        With an edge for each.

    Returns
    -------
    EdgeEstimate
        Errors are from the scatter of strips along the edges.

    Raises
    ------
    ValueError
        If an edge is not inclined by 1 to 20 degrees.
    """
    whole, pieces = [], []
    for image, edge in zip(images, facts.edges, strict=True):
        whole.append(slanted_edge_mtf(image))
        crosses_rows = abs(math.cos(math.radians(edge.angle_deg))) > math.sqrt(0.5)
        upright = image if crosses_rows else image.T
        n = min(_MOST_STRIPS, len(upright) // _STRIP)
        if n > 1:
            pieces += [slanted_edge_mtf(strip).mtf for strip in upright.tensor_split(n)]
    curve = torch.stack([each.mtf for each in whole]).mean(0)
    scatter = torch.full_like(curve, math.nan)
    if len(pieces) > 2:
        scatter = torch.stack(pieces).std(0) / math.sqrt(len(pieces)) * _few(len(pieces))
        # Zero at zero frequency, where the curve is 1 by definition.
        misfit = _MISFIT * (whole[0].frequency / _NARROWEST).clamp(max=1.0)
        scatter = torch.hypot(scatter, misfit)
    return EdgeEstimate(whole[0].frequency, curve, scatter, whole[0], facts, len(pieces))


def _few(strips: int) -> float:
    """Student's t over 1.96: an error from few strips is itself uncertain."""
    degrees = strips - 1
    t = _T[degrees - 2] if degrees - 2 < len(_T) else 1.96 + 2.45 / degrees
    return t / 1.96


def draw_edge(estimate: EdgeEstimate) -> Any:
    """Draw the edge spread of the first image and the curve, as a matplotlib figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    first = estimate.first
    left.plot(first.distance.numpy(), first.edge_spread.numpy(), lw=1)
    left.set(
        xlabel="distance along the normal (pixel)",
        ylabel="grey value",
        title=f"edge spread, {math.degrees(first.angle):+.2f}° to the pixels",
    )
    frequency, curve = estimate.frequency.numpy(), estimate.curve.numpy()
    error = 1.96 * estimate.standard_error.nan_to_num(0.0).numpy()
    right.fill_between(frequency, curve - error, curve + error, alpha=0.3, label="95 %")
    right.plot(frequency, curve)
    right.set(xlabel="frequency (cycles/pixel)", ylabel="MTF", xlim=(0, 0.5), title="MTF")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def edge_notes(found: EdgeEstimate) -> list[str]:
    """Say what was found, and what the curve includes."""
    angles = ", ".join(f"{edge.angle_deg:.2f}°" for edge in found.facts.edges)
    return [
        f"{counted(len(found.facts.edges), 'image')}, normals of the edges at {angles} from +x",
        f"errors from {found.strips} strips along the edges"
        if found.strips > 2
        else "no errors: the edge is too short to be cut into strips",
        "the curve includes the aperture of the pixel, as published curves do; noise that is "
        "simulated with it is blurred by the aperture, too",
        *map(_explained, found.facts.notes),
    ]


def _explained(note: str) -> str:
    """Add to a note of many zeros that in the shadow of an edge they are to be expected."""
    if note.endswith("at the lowest value 0"):
        return f"{note}: as it should be in the shadow, unless an offset that was taken off cut it"
    return note
