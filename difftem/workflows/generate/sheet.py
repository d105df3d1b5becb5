"""The first images of a set on one sheet, which says how many there are."""

import json
from pathlib import Path

import torch
from matplotlib.figure import Figure

from difftem.io.account import counted
from difftem.io.files import replacing
from difftem.io.image_stack import SUFFIXES, read_stack
from difftem.pictures import draw_image
from difftem.simulation.preview import image_title, save_figure
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
        # Files of pickers and angles have the same name.
        named = folder.glob(f"micrograph_{folder.name}.*")
        (path,) = (each for each in named if each.suffix in (*SUFFIXES.values(), ".mrcs"))
        images, pixel_size = read_stack(path)
        middle = len(images) // 2
        draw_image(axes, torch.tensor(images[middle]), pixel_size)
        record = json.loads((folder / RECORD).read_text("utf-8"))
        title = f"{folder.name}: {record['defocus_um']:.2f} µm"
        tilts = [float(line) for each in folder.glob("*.rawtlt") for line in _lines(each)]
        which = image_title(middle, tilts) if tilts else ""
        axes.set_title(f"{title}\n{which}" if which else title, fontsize=10)
    for axes in panels[len(folders) :]:
        axes.axis("off")
    which = "all" if shown == len(folders) else f"the first {shown} of"
    figure.suptitle(f"{which} {counted(len(folders), 'item')} of the set", fontsize=10)
    return figure


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").split()
