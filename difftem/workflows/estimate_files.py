"""What the files of the estimates have in common."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from difftem.io.errors import input_error
from difftem.tasks.report import Table


def check_files(star: Path, files: Iterable[Path], what: str, overwrite: bool) -> None:
    """Refuse before the work what would be refused after it.

    Parameters
    ----------
    star : Path
        STAR file to write.
    files : iterable of Path
        All files, of which that is one.
    what : str
        The STAR file holds, for messages: ``"an MTF"``.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, or the folder does not exist.
    """
    if star.suffix.lower() != ".star":
        raise input_error(star, f"the name of {what} must end in .star")
    if not star.parent.is_dir():
        raise input_error(star, f"there is no folder {star.parent}")
    if not os.access(star.parent, os.W_OK):
        raise input_error(star, f"the folder {star.parent} cannot be written")
    for path in files:
        if path.exists() and not overwrite:
            raise input_error(path, "exists already; --overwrite (overwrite=True) replaces it")


def write_table(path: Path, columns: list[str], rows: list[list[str]]) -> None:
    """Write CSV with a line of names."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def rounded(table: Table) -> list[list[str]]:
    """Write the numbers of a table with seven digits."""
    return [[f"{value:.7g}" for value in row] for row in table.rows]
