"""What a set as a whole gets: tables of its items and particles, and a sheet of its images."""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile

from difftem.io.files import replacing
from difftem.io.star import StarTable, read_star, star_text
from difftem.scene.files.relion_picks import SUFFIX, write_relion_coordinate_files
from difftem.scene.files.topaz import join_topaz
from difftem.simulation.scene_config import SceneConfig
from difftem.workflows.generate.folder import TILT_SERIES
from difftem.workflows.generate.item import RECORD, item_folder, micrograph_name
from difftem.workflows.generate.optics_groups import OpticsGroups, stacked
from difftem.workflows.generate.template_files import write_templates

_SERIES_FILE, _SERIES_STACK = "rlnTomoTiltSeriesStarFile", "rlnTomoTiltSeriesName"
_IMAGE, _GROUP, _GROUP_NAME = "rlnMicrographName", "rlnOpticsGroup", "rlnOpticsGroupName"


def write_summary(output: Path, items: list[int], config: SceneConfig) -> None:
    """Write tables, templates and the sheet of a set.

    Parameters
    ----------
    output : Path
        Folder of the set.
    items : list of int
        Its items, at least one.
    config : SceneConfig
        Of the set.
    """
    folders = [item_folder(output, index) for index in items]
    _write_csv(output / "summary.csv", folders)
    groups = _merge(output, folders, "particles.star", "particles")
    if (folders[0] / "tomograms.star").exists():
        _write_tomograms(output, folders, groups)
    else:
        _merge(output, folders, "micrographs.star", "micrographs")
        _write_picks(output, folders, config)
        if any((folder / f"particles_{folder.name}.star").exists() for folder in folders):
            cut = [f for f in folders if (f / f"particles_{f.name}.star").exists()]
            _merge(output, cut, "particle_stacks.star", "particles", "particles_{}.star")
    write_templates(output, config)
    from difftem.workflows.generate.sheet import write_sheet  # loads the library for plots

    write_sheet(output / "preview.png", folders)


def _write_csv(path: Path, folders: list[Path]) -> None:
    """Write one row per item: what was drawn, and how many particles of each kind."""
    records = [
        {"varied": {}} | json.loads((folder / RECORD).read_text("utf-8")) for folder in folders
    ]
    kinds = list(dict.fromkeys(name for record in records for name in record["counts"]))
    varied = list(dict.fromkeys(name for record in records for name in record["varied"]))
    drawn = ["index", "defocus_um", "dose_e_per_a2", "ice_thickness_nm", "n_slices"]
    mean = "mean_expected_counts_per_pixel"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["folder", *drawn, *varied, mean, "particles", *kinds])
    for folder, record in zip(folders, records, strict=True):
        counts = [record["counts"].get(name, 0) for name in kinds]
        row = [record[name] for name in drawn] + [record["varied"][name] for name in varied]
        writer.writerow([folder.name, *row, record[mean], sum(counts), *counts])
    _replace(path, text.getvalue())


def _write_picks(output: Path, folders: list[Path], config: SceneConfig) -> None:
    """Write the tables that pickers want of all micrographs together."""
    stems, pickers = [f"micrograph_{folder.name}" for folder in folders], config.truth.pickers
    if "topaz" in pickers:
        parts = [folder / f"{stem}.txt" for folder, stem in zip(folders, stems, strict=True)]
        join_topaz(output / "topaz.txt", parts)
    if "relion" in pickers:
        paths = [f"{folder.name}/{stem}" for folder, stem in zip(folders, stems, strict=True)]
        write_relion_coordinate_files(
            output / "coordinates.star",
            [f"{f.name}/{micrograph_name(int(f.name), config)}" for f in folders],
            [f"{path}{SUFFIX}" for path in paths],
        )


def _merge(
    output: Path, folders: list[Path], name: str, table_name: str, part: str | None = None
) -> dict[str, str]:
    """Write a RELION table of the whole set, item by item: a set may have millions of particles.

    Items of equal optics share a group; returns the name of each item's.
    """
    groups = OpticsGroups()
    names: dict[str, str] = {}
    with replacing(output / name, overwrite=True) as temporary, TemporaryFile("w+") as body:
        for folder in folders:
            tables = read_star(folder / (part or name).format(folder.name))
            table = tables.get(table_name, {})
            group = groups.number(tables["optics"])
            names[folder.name] = groups.name(group)
            if not table:  # a micrograph without particles
                continue
            table[_GROUP] = [str(group)] * len(table[_GROUP])
            if body.tell() == 0:
                header = [f"\ndata_{table_name}\n", "loop_", *(f"_{n}" for n in table), ""]
                body.write("\n".join(header))
            # No cell needs quotes: see difftem.scene.poses.is_name.
            body.writelines(" ".join(row) + "\n" for row in zip(*table.values(), strict=True))
        body.write("\n")
        body.seek(0)
        with temporary.open("w", encoding="utf-8") as out:
            out.write(star_text({"optics": groups.table()}))
            shutil.copyfileobj(body, out)
    return names


def _write_tomograms(output: Path, folders: list[Path], groups: Mapping[str, str]) -> None:
    """Write RELION's table of all tilt series; its paths start at the set's folder."""
    (output / TILT_SERIES).mkdir(exist_ok=True)
    rows: list[dict[str, str]] = []
    for folder in folders:
        (row,) = _rows(read_star(folder / "tomograms.star")["global"])
        name = row[_SERIES_FILE]
        series = read_star(folder / name)
        for tilts in series.values():
            tilts[_IMAGE] = [_under(folder.name, image) for image in tilts[_IMAGE]]
        _replace(output / TILT_SERIES / name, star_text(series))
        row[_SERIES_FILE] = f"{TILT_SERIES}/{name}"
        row[_GROUP_NAME] = groups[folder.name]
        row[_SERIES_STACK] = f"{folder.name}/{row[_SERIES_STACK]}"
        rows.append(row)
    _replace(output / "tomograms.star", star_text({"global": stacked(rows)}))


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
