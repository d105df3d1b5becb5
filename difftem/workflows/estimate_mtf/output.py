"""The files of an estimate: all of them, or none."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from torch import Tensor

from difftem.io.files import replacing
from difftem.io.star import write_mtf_star
from difftem.tasks.report import Table
from difftem.workflows.estimate_files import check_files, rounded, write_table


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
    """Refuse an output before the work, as `check_files` does."""
    check_files(star, output_files(star).values(), "an MTF", overwrite)


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
        write_table(part["csv"], table.columns, rounded(table))
        part["md"].write_text(text, "utf-8")
        for name, figure in figures.items():
            figure.savefig(part[name], format="png", dpi=110)
    return [files[name] for name in names]
