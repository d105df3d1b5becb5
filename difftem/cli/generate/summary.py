"""What a set as a whole gets: tables of its items and particles, and a sheet of its images."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from difftem.cli.generate.folder import TILT_SERIES
from difftem.cli.generate.item import RECORD, item_folder
from difftem.cli.simulate.preview import draw_image
from difftem.data.files import replacing
from difftem.data.mrc import read_mrc
from difftem.data.star import StarTable, read_star, star_text

SHEET = 9  # images at most
_SERIES_FILE, _SERIES_STACK = "rlnTomoTiltSeriesStarFile", "rlnTomoTiltSeriesName"
_IMAGE = "rlnMicrographName"


def write_summary(output: Path, items: list[int]) -> None:
    """Write tables and the sheet of a set.

    Parameters
    ----------
    output : Path
        Folder of the set.
    items : list of int
        Its items, at least one.
    """
    folders = [item_folder(output, index) for index in items]
    _write_csv(output / "summary.csv", folders)
    if (folders[0] / "tomograms.star").exists():
        _write_tomograms(output, folders)
    _write_particles(output / "particles.star", folders)
    _write_sheet(output / "preview.png", folders)


def _write_csv(path: Path, folders: list[Path]) -> None:
    """Write one row per item: what was drawn, and how many particles of each kind."""
    records = [json.loads((folder / RECORD).read_text("utf-8")) for folder in folders]
    kinds = list(dict.fromkeys(name for record in records for name in record["counts"]))
    drawn = ["index", "defocus_um", "dose_e_per_a2", "ice_thickness_nm", "n_slices"]
    mean = "mean_expected_counts_per_pixel"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["folder", *drawn, mean, "particles", *kinds])
    for folder, record in zip(folders, records, strict=True):
        counts = [record["counts"].get(name, 0) for name in kinds]
        row = [record[name] for name in (*drawn, mean)]
        writer.writerow([folder.name, *row, sum(counts), *counts])
    _replace(path, text.getvalue())


def _write_particles(path: Path, folders: list[Path]) -> None:
    """Write RELION's table of all particles, item by item: a set may have millions."""
    with replacing(path, overwrite=True) as temporary, temporary.open("w", encoding="utf-8") as out:
        for number, folder in enumerate(folders):
            tables = read_star(folder / "particles.star")
            table = tables["particles"]
            if number == 0:
                out.write(star_text({"optics": tables["optics"]}))
                out.write("\n".join(["\ndata_particles\n", "loop_", *(f"_{n}" for n in table), ""]))
            # No cell needs quotes: see difftem.data.scene.instances.is_name.
            out.writelines(" ".join(row) + "\n" for row in zip(*table.values(), strict=True))
        out.write("\n")


def _write_tomograms(output: Path, folders: list[Path]) -> None:
    """Write RELION's table of all tilt series; its paths start at the set's folder."""
    (output / TILT_SERIES).mkdir(exist_ok=True)
    tomograms: StarTable = {}
    for folder in folders:
        (row,) = _rows(read_star(folder / "tomograms.star")["global"])
        name = row[_SERIES_FILE]
        series = read_star(folder / name)
        for tilts in series.values():
            tilts[_IMAGE] = [_under(folder.name, image) for image in tilts[_IMAGE]]
        _replace(output / TILT_SERIES / name, star_text(series))
        row[_SERIES_FILE] = f"{TILT_SERIES}/{name}"
        row[_SERIES_STACK] = f"{folder.name}/{row[_SERIES_STACK]}"
        for column, cell in row.items():
            tomograms.setdefault(column, []).append(cell)
    _replace(output / "tomograms.star", star_text({"global": tomograms}))


def _rows(table: StarTable) -> Iterator[dict[str, str]]:
    """Rows of a table."""
    for cells in zip(*table.values(), strict=True):
        yield dict(zip(table, cells, strict=True))


def _under(folder: str, image: str) -> str:
    """Name of an image of a stack, ``2@stack.mrc``, as seen from the folder above."""
    number, _, stack = image.partition("@")
    return f"{number}@{folder}/{stack}"


def _write_sheet(path: Path, folders: list[Path]) -> None:
    """Draw the first images, of a tilt series the middle one."""
    shown = folders[:SHEET]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(4 * columns, 4.3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, folder in zip(panels, shown, strict=False):
        image = read_mrc(folder / "micrograph.mrc")
        data = image.data if image.data.ndim == 2 else image.data[len(image.data) // 2]
        draw_image(axes, torch.tensor(data), image.voxel_size[0])
        record = json.loads((folder / RECORD).read_text("utf-8"))
        axes.set_title(f"{folder.name}: {record['defocus_um']:.2f} µm", fontsize=10)
    for axes in panels[len(shown) :]:
        axes.axis("off")
    _replace_with(path, lambda to: figure.savefig(to, dpi=100, format="png", metadata=_PLAIN))


_PLAIN: dict[str, Any] = {"Software": None}  # no version, so that the bytes stay


def _replace(path: Path, text: str) -> None:
    """Write a text, all or nothing."""
    _replace_with(path, lambda to: to.write_text(text, encoding="utf-8"))


def _replace_with(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file, all or nothing."""
    with replacing(path, overwrite=True) as temporary:
        write(temporary)
