"""The files of an estimate: all of them, or none."""

import csv
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.files import replacing
from difftem.io.star import write_mtf_star
from difftem.tasks.report import Table


def output_files(star: Path) -> dict[str, Path]:
    """Names of all files, by what they hold."""
    return {
        "star": star,
        "csv": star.with_suffix(".csv"),
        "png": star.with_suffix(".png"),
        "md": star.with_suffix(".md"),
        "crops": star.with_name(f"{star.stem}_crops.png"),
    }


def check_output(star: Path, overwrite: bool) -> None:
    """Refuse before the work what would be refused after it.

    Parameters
    ----------
    star : Path
        STAR file to write.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, or the folder does not exist.
    """
    if star.suffix.lower() != ".star":
        raise input_error(star, "the name of an MTF must end in .star")
    if not star.parent.is_dir():
        raise input_error(star, f"there is no folder {star.parent}")
    if not os.access(star.parent, os.W_OK):
        raise input_error(star, f"the folder {star.parent} cannot be written")
    for path in output_files(star).values():
        if path.exists() and not overwrite:
            raise input_error(path, "exists already; --overwrite (overwrite=True) replaces it")


def write_files(
    star: Path,
    frequency: Tensor,  # (n,) cycles/pixel
    curve: Tensor,  # (n,)
    table: Table,
    text: str,
    figures: dict[str, Any],
    *,
    comments: Sequence[str] = (),
    overwrite: bool,
) -> list[Path]:
    """Write everything under temporary names, then rename.

    Parameters
    ----------
    star : Path
        STAR file; the others lie beside it.
    frequency, curve : Tensor
        The MTF or NTF.
    table : Table
        For the CSV file.
    text : str
        Markdown.
    figures : dict of str to Figure
        ``png`` and, where there is one, ``crops``.
    comments : sequence of str
        Lines for the STAR file: what the curve is.
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, or the folder does not exist.
    """
    files = output_files(star)
    names = ["star", "csv", "md", *figures]
    with ExitStack() as stack:
        part = {n: stack.enter_context(replacing(files[n], overwrite)) for n in names}
        write_mtf_star(part["star"], frequency.numpy(), curve.numpy(), star.stem, comments=comments)
        with part["csv"].open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table.columns)
            writer.writerows(_rounded(table.rows))
        part["md"].write_text(text, "utf-8")
        for name, figure in figures.items():
            figure.savefig(part[name], format="png", dpi=110)
    return [files[name] for name in names]


def _rounded(rows: Sequence[Sequence[float]]) -> list[list[str]]:
    """Format numbers with seven digits."""
    return [[f"{value:.7g}" for value in row] for row in rows]
