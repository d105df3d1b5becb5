"""What a set as a whole gets: tables of its items and particles, and a sheet of its images."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from difftem.io.files import replacing
from difftem.io.star import StarTable, read_star, star_text
from difftem.workflows.generate.folder import TILT_SERIES
from difftem.workflows.generate.item import RECORD, item_folder

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
    from difftem.workflows.generate.sheet import write_sheet  # loads the library for plots

    write_sheet(output / "preview.png", folders)


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
            # No cell needs quotes: see difftem.scene.poses.is_name.
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


def _replace(path: Path, text: str) -> None:
    """Write a text, all or nothing."""
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
