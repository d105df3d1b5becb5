"""Central slices of volumes, with scale bars, in one range of grey values."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from difftem.analysis.volume_background import pooled
from difftem.pictures import draw_image
from difftem.workflows.render.load import ShownVolume

_RANGE = (0.005, 0.995)  # of the voxels: black and white
NAMES = ("xy", "xz", "yz")


def draw_slices(volumes: Sequence[ShownVolume], size: int) -> Figure:
    """Draw the three central slices of each volume, a row for each.

    Parameters
    ----------
    volumes : sequence of ShownVolume
        To compare.
    size : int
        Pixels of the side of a panel, about.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    values = pooled([volume.data for volume in volumes]).double()
    low, high = (float(values.quantile(share)) for share in _RANGE)
    limits = (low, high) if high > low else (low, low + 1.0)
    side = size / 100  # inches at the 100 dots of one that files are written with
    figure = Figure(figsize=(3 * side, len(volumes) * 1.1 * side))
    figure.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.08 / len(volumes), wspace=0.03, hspace=0.1)
    rows = figure.subplots(len(volumes), 3, squeeze=False)
    for panels, volume in zip(rows, volumes, strict=True):
        nz, ny, nx = volume.data.shape
        slices = (volume.data[nz // 2], volume.data[:, ny // 2], volume.data[:, :, nx // 2])
        for axes, name, image in zip(panels, NAMES, slices, strict=True):
            draw_image(axes, image, volume.voxel_size, limits)
            axes.set_title(f"{volume.title}: {name}")
    return figure
