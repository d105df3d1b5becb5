"""A figure of the boxes that were used."""

from collections.abc import Sequence
from typing import Any

from difftem.micrograph.picking import Picked
from difftem.pictures import draw_array


def draw_picking(pictures: Sequence[Picked]) -> Any:
    """Draw each field with its boxes.

    Parameters
    ----------
    pictures : sequence of Picked
        From `difftem.data.real_crops.RealCrops.pictures`.

    Returns
    -------
    Figure
        Of matplotlib, not registered with pyplot.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    columns = min(3, len(pictures))
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(5 * columns, 5 * rows), layout="constrained")
    for index, picture in enumerate(pictures):
        axes = figure.add_subplot(rows, columns, index + 1)
        top, left = picture.origin
        ny, nx = (n * picture.binning for n in picture.overview.shape)
        extent = (left - 0.5, left + nx - 0.5, top - 0.5, top + ny - 0.5)
        draw_array(axes, picture.overview, extent=extent)
        for box in picture.boxes:
            corner = (box.x - 0.5, box.y - 0.5)
            axes.add_patch(Rectangle(corner, box.size, box.size, fill=False, edgecolor="C1"))
        axes.set_title(f"{picture.name}: {len(picture.boxes)} boxes", fontsize=9)
        axes.set_xlabel("x (pixel)")
        axes.set_ylabel("y (pixel)")
    return figure
