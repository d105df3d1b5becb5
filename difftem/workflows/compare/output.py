"""Files that a report is written to, and what is refused before the work."""

import os
from pathlib import Path

from difftem.io.errors import input_error

_PAGE = (".html", ".htm")
_BESIDE = {"panels": ".png", "curves": ".png", "scores": ".csv", "correlation": ".csv"}


def is_page(path: Path) -> bool:
    """Whether the report is to be one HTML page."""
    return not path.is_dir() and path.suffix.lower() in _PAGE


def report_files(path: Path) -> dict[str, Path]:
    """Names of all files of a report, by what they hold.

    Parameters
    ----------
    path : Path
        ``.html``: this file alone; ``.md``: this file, others beside it begin with its name;
        else a folder.

    Returns
    -------
    dict of str to Path
        ``report``, and unless it is HTML ``panels``, ``curves``, ``scores`` and ``correlation``.
    """
    if is_page(path):
        return {"report": path}
    if not path.is_dir() and path.suffix.lower() == ".md":
        beside = {name: f"{path.stem}_{name}{suffix}" for name, suffix in _BESIDE.items()}
        return {"report": path} | {name: path.with_name(file) for name, file in beside.items()}
    return {"report": path / "report.md"} | {
        name: path / f"{name}{suffix}" for name, suffix in _BESIDE.items()
    }


def check_report_output(path: Path, overwrite: bool) -> None:
    """Refuse an output before the work that would be refused after it.

    Parameters
    ----------
    path : Path
        Report to write.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, the folder cannot be written, or the suffix is
        that of no report.
    """
    if not path.is_dir() and path.suffix and path.suffix.lower() not in (*_PAGE, ".md"):
        raise input_error(path, "a report must end in .html or .md, or be a folder")
    if path.is_file() and not path.suffix:
        raise input_error(path, "is a file, expected an output folder")
    files = report_files(path)
    folder = files["report"].parent
    if not folder.is_dir() and (path.suffix or not folder.parent.is_dir()):
        raise input_error(path, f"there is no folder {folder if path.suffix else folder.parent}")
    if not os.access(folder if folder.is_dir() else folder.parent, os.W_OK):
        raise input_error(path, "the folder cannot be written")
    for each in files.values():
        if each.is_dir():
            raise input_error(each, "is a folder, expected a file name")
        if each.exists() and not overwrite:
            raise input_error(each, "exists already; --overwrite (overwrite=True) replaces it")
