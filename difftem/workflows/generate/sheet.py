"""The first images of a set on one sheet."""

import json
from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from difftem.io.files import replacing
from difftem.io.mrc import read_mrc
from difftem.simulation.preview import draw_image
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
    figure = Figure(figsize=sheet_size(folders))
    FigureCanvasAgg(figure)
    draw_sheet(figure, folders)
    with replacing(path, overwrite=True) as temporary:
        # No version, so that the bytes stay.
        figure.savefig(temporary, dpi=100, format="png", metadata={"Software": None})


def sheet_size(folders: list[Path]) -> tuple[float, float]:
    """Width and height of the sheet in inches."""
    rows, columns = _grid(len(folders))
    return 4.0 * columns, 4.3 * rows


def draw_sheet(figure: Figure, folders: list[Path]) -> None:
    """Draw the first images, of a tilt series the middle one.

    Parameters
    ----------
    figure : Figure
        Empty, of `sheet_size`.
    folders : list of Path
        Of the items, at least one.
    """
    figure.set_layout_engine("constrained")
    panels = figure.subplots(*_grid(len(folders)), squeeze=False).flatten()
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


def _grid(n: int) -> tuple[int, int]:
    """Rows and columns for n images, or for as many as are shown."""
    shown = min(n, SHEET)
    columns = min(3, shown)
    return -(-shown // columns), columns
