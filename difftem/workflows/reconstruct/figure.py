"""The picture of a volume: three central slices, and how SIRT's residual fell."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from difftem.pictures import draw_image


def draw_volume(
    volume: Tensor,  # (z, y, x)
    voxel_size: float | None,
    residuals: Sequence[float],
    title: str,
) -> Any:
    """Draw central slices, each with a scale bar.

    Parameters
    ----------
    volume : Tensor
        ``(z, y, x)``.
    voxel_size : float or None
        Å; without it there are no scale bars.
    residuals : sequence of float
        After 0, 1, 2 ... iterations of SIRT; empty without.
    title : str
        One line.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.figure import Figure  # slow to load

    nz, ny, nx = volume.shape
    slices = (
        ("xy: seen along the beam", volume[nz // 2]),
        ("xz: across the tilt axis", volume[:, ny // 2]),
        ("yz: along the tilt axis", volume[:, :, nx // 2]),
    )
    figure = Figure(figsize=(4.6 * (3 + bool(residuals)), 5.2))
    figure.subplots_adjust(0.02, 0.1, 0.97, 0.84, wspace=0.16)
    panels = figure.subplots(1, 3 + bool(residuals))
    for axes, (name, image) in zip(panels, slices, strict=False):
        draw_image(axes, image.detach().float().cpu(), voxel_size)
        axes.set_title(name)
        axes.set_aspect("equal")
    if residuals:
        last = panels[-1]
        last.plot(range(len(residuals)), residuals, marker=".")
        last.set(ylim=(0, 1), xlabel="iterations", title="relative residual")
        last.grid(alpha=0.3)
    figure.suptitle(title)
    return figure
