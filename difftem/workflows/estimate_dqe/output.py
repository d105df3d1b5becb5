"""The files of a DQE: all of them, or none."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from torch import Tensor

from difftem.io.files import replacing
from difftem.io.star import star_text, write_mtf_star
from difftem.tasks.report import Table
from difftem.workflows.estimate_files import check_files, rounded, write_table

_SUFFIXES = (".star", ".csv", ".md", ".png")
_COMMENTS = (
    "MTF: modulation transfer function of the signal, from a knife edge; the aperture of the pixel",
    "is part of it. Block dqe: noise power (NPS, grey values^2), over the squared mean (NNPS,",
    "pixels), NTF, and DQE with its 95 % band",
)


def check_output(star: Path, overwrite: bool) -> None:
    """Refuse an output before the work, as `check_files` does."""
    check_files(star, _files(star), "a DQE", overwrite)


def _files(star: Path) -> list[Path]:
    """Names of all files, the STAR file first."""
    return [star.with_suffix(suffix) for suffix in _SUFFIXES]


def write_files(
    star: Path,
    curve: tuple[Tensor, Tensor],  # 2 x (m,)
    table: Table,
    text: str,
    figure: Any,
    *,
    overwrite: bool,
) -> list[Path]:
    """Write everything under temporary names, then rename.

    Parameters
    ----------
    star : Path
        STAR file; the others lie beside it.
    curve : tuple of Tensor
        Frequency and MTF.
    table : Table
        All curves.
    text : str
        Markdown.
    figure : Figure
        Of the curves.
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
    files, rows = _files(star), rounded(table)
    with ExitStack() as stack:
        parts = [stack.enter_context(replacing(file, overwrite)) for file in files]
        frequency, mtf = (each.numpy() for each in curve)
        write_mtf_star(parts[0], frequency, mtf, "mtf", comments=_COMMENTS)
        columns = {
            f"difftem_{name}": [row[i] for row in rows] for i, name in enumerate(table.columns)
        }
        with parts[0].open("a", encoding="utf-8") as file:
            file.write("\n" + star_text({"dqe": columns}))
        write_table(parts[1], table.columns, rows)
        parts[2].write_text(text, "utf-8")
        figure.savefig(parts[3], format="png", dpi=110)
    return files
