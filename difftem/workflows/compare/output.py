"""Files that a report is written to, and what is refused before the work."""

import os
from pathlib import Path

from difftem.io.errors import input_error

_PAGE, _MARKDOWN = (".html", ".htm"), ".md"
_BESIDE = ("panels.png", "curves.png", "scores.csv", "correlation.csv")


def report_files(path: Path) -> dict[str, Path]:
    """Names of all files of a report, by what they hold: ``report``, and unless it is HTML others.

    Of ``.md`` the others are beside it and begin with its name; else `path` is a folder.
    """
    is_folder = path.is_dir() or not path.suffix
    if not is_folder and path.suffix.lower() in _PAGE:
        return {"report": path}
    folder, prefix = (path, "") if is_folder else (path.parent, f"{path.stem}_")
    beside = {name.partition(".")[0]: folder / f"{prefix}{name}" for name in _BESIDE}
    return {"report": path / "report.md" if is_folder else path} | beside


def check_report_output(path: Path, overwrite: bool) -> None:
    """Refuse an output before the work that would be refused after it.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, the folder cannot be written, or the suffix is
        that of no report.
    """
    if not path.is_dir() and path.suffix and path.suffix.lower() not in (*_PAGE, _MARKDOWN):
        raise input_error(path, "a report must end in .html or .md, or be a folder")
    if path.is_file() and not path.suffix:
        raise input_error(path, "is a file, expected an output folder")
    folder = path.parent if path.suffix or not path.is_dir() else path
    if not folder.is_dir():
        raise input_error(path, f"there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise input_error(path, f"the folder {folder} cannot be written")
    for each in report_files(path).values():
        if each.is_dir():
            raise input_error(each, "is a folder, expected a file name")
        if each.exists() and not overwrite:
            raise input_error(each, "exists already; --overwrite (overwrite=True) replaces it")
