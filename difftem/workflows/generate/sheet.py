"""The first images of a set on one sheet."""

import json
from pathlib import Path

import torch
from matplotlib.figure import Figure

from difftem.io.files import replacing
from difftem.io.mrc import read_mrc
from difftem.simulation.preview import draw_image, save_figure
from difftem.workflows.generate.item import RECORD

SHEET = 9  # images at most


def write_sheet(path: Path, folders: list[Path]) -> None:
    """Draw the first images into a file.

    Parameters
    ----------
    path : Path
        To write or to replace.
    folders : list of Path
        Of the items, at least one.
    """
    with replacing(path, overwrite=True) as temporary:
        save_figure(draw_sheet(folders), temporary)


def draw_sheet(folders: list[Path]) -> Figure:
    """Draw the first images, of a tilt series the middle one.

    Parameters
    ----------
    folders : list of Path
        Of the items, at least one.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    shown = min(len(folders), SHEET)
    columns = min(3, shown)
    rows = -(-shown // columns)
    figure = Figure(figsize=(4 * columns, 4.3 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, folder in zip(panels, folders, strict=False):
        image = read_mrc(folder / "micrograph.mrc")
        data = image.data if image.data.ndim == 2 else image.data[len(image.data) // 2]
        draw_image(axes, torch.tensor(data), image.voxel_size[0])
        record = json.loads((folder / RECORD).read_text("utf-8"))
        axes.set_title(f"{folder.name}: {record['defocus_um']:.2f} µm", fontsize=10)
    for axes in panels[len(folders) :]:
        axes.axis("off")
    if len(folders) > SHEET:
        figure.suptitle(f"{SHEET} of {len(folders)}", fontsize=10)
    return figure
