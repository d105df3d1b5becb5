"""Make a set of images of nanoparticles, or what is missing of it."""

import csv
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from difftem.io.claimed import claimed, is_temporary, remove_stale
from difftem.io.errors import input_error
from difftem.io.files import replacing
from difftem.io.staged_folder import made_folder
from difftem.io.zarr_stack import ZarrStack
from difftem.scene.nanoparticle.distinct import DistinctNanoparticles
from difftem.simulation.nanoparticles.columns import write_columns
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.item import ImagedModel, Row, image_model, model_seed
from difftem.simulation.nanoparticles.record import (
    SETTINGS,
    check_same,
    read_record,
    write_record,
)

IMAGES, MANIFEST, ROWS, COLUMNS = "images.zarr", "manifest.csv", "rows", "columns"

# Wraps the numbers of the models that are to be made, given with how many: a progress bar.
ModelProgress = Callable[[Iterable[int], int], Iterable[int]]


def make_set(
    folder: str | Path,
    config: NanoparticleSetConfig,
    progress: ModelProgress | None = None,
    overwrite: bool = False,
) -> int:
    """Make the models of a set that are not there yet.

    A model's images come first, then the table of its columns, then its rows of the manifest: who
    has rows is whole. So a run may be stopped at any time and taken up again. The manifest is
    written when all are there.

    Parameters
    ----------
    folder : str or Path
        Is made if it is not there.
    config : NanoparticleSetConfig
        The recipe.
    progress : callable, optional
        Wraps the numbers of the missing models.
    overwrite : bool
        Remove the set that is there.

    Returns
    -------
    int
        Models that were made.

    Raises
    ------
    InputError
        If the folder holds other things or a set of another recipe, is in use, or cannot be
        written.
    """
    folder = Path(folder)
    images = ZarrStack(folder / IMAGES)
    there = folder.is_dir() and (folder / SETTINGS).exists()
    if there and not overwrite:
        stored = read_record(folder)
        check_same(folder, stored, config)
        config = config.resized(max(config.n_models, stored.n_models))
        if config == stored and (folder / MANIFEST).exists() and not _missing(folder, config):
            return 0  # and leave it to those who read it
    elif folder.is_dir() and not there and not all(is_temporary(e.name) for e in folder.iterdir()):
        raise input_error(folder, f"is not empty and holds no {SETTINGS}; choose another folder")
    with made_folder(folder), claimed(folder):
        try:
            if overwrite:
                remove_set(folder)
            for name in (ROWS, COLUMNS):
                (folder / name).mkdir(exist_ok=True)
            (folder / MANIFEST).unlink(missing_ok=True)
            write_record(folder, config)
            imaging = config.imaging
            n_images = config.n_models * imaging.n_defocus
            images.make(
                (n_images, imaging.size, imaging.size),
                {"values": "intensity - 1, 0 in vacuum", "pixel_size": imaging.pixel_size},
            )
            missing = _missing(folder, config)
            distinct = DistinctNanoparticles(config.models, partial(model_seed, config))
            for index in progress(missing, len(missing)) if progress is not None else missing:
                made = image_model(config, index, distinct.seed(index))
                _write(folder, index, made, images)
            _write_manifest(folder, config.n_models)
        finally:
            remove_stale(folder)
    return len(missing)


def rows_path(folder: Path, index: int) -> Path:
    """File with a model's lines of the manifest."""
    return folder / ROWS / f"{index:06d}.csv"


def columns_path(folder: Path, index: int) -> Path:
    """File with a model's columns."""
    return folder / COLUMNS / f"{index:06d}.csv"


def remove_set(folder: Path) -> None:
    """Remove what this makes; what else is there stays."""
    for name in (IMAGES, ROWS, COLUMNS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (MANIFEST, SETTINGS):
        (folder / name).unlink(missing_ok=True)


def _missing(folder: Path, config: NanoparticleSetConfig) -> list[int]:
    """Models that are not there with all their images."""
    images, n = ZarrStack(folder / IMAGES), config.imaging.n_defocus
    return [
        i
        for i in range(config.n_models)
        if not rows_path(folder, i).is_file()
        or not columns_path(folder, i).is_file()
        or not all(map(images.is_there, range(i * n, (i + 1) * n)))
    ]


def _write(folder: Path, index: int, made: ImagedModel, images: ZarrStack) -> None:
    """Write a model, what says that it is whole last."""
    for row, image in zip(made.rows, made.images, strict=True):
        images.write(int(row["image"]), (image.double() - 1).numpy())
    write_columns(columns_path(folder, index), made.columns)
    _write_rows(rows_path(folder, index), made.rows)


def _write_rows(path: Path, rows: list[Row]) -> None:
    """Write lines with their names above."""
    with (
        replacing(path, overwrite=True) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_manifest(folder: Path, n_models: int) -> None:
    """Join the lines of all models."""
    parts = [rows_path(folder, i).read_text("utf-8").partition("\n") for i in range(n_models)]
    header = parts[0][0]
    for i, part in enumerate(parts):
        if part[0] != header:
            raise input_error(rows_path(folder, i), "names other columns than that of model 0")
    with replacing(folder / MANIFEST, overwrite=True) as temporary:
        text = header + "\n" + "".join(part[2] for part in parts)
        temporary.write_text(text, encoding="utf-8")
