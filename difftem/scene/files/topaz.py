"""Topaz's tables of coordinates."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from difftem.io.files import replacing

HEADER = "image_name\tx_coord\ty_coord\n"


def write_topaz(
    path: str | Path,
    image: str,
    pixels: Tensor,  # (n, 2) pixels
    *,
    overwrite: bool = False,
) -> None:
    """Write Topaz's table of three columns: image, x and y, tab between the cells.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    image : str
        Name of the micrograph's file without folder and suffix.
    pixels : Tensor
        Centres as x (column) and y (row), 0 being the first pixel, shape ``(n, 2)``; written as
        whole numbers, as Topaz reads them.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    """
    lines = [f"{image}\t{x}\t{y}\n" for x, y in pixels.round().long().tolist()]
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text(HEADER + "".join(lines), encoding="ascii")


def join_topaz(path: Path, parts: Sequence[Path]) -> None:
    """Join tables of several micrographs to the one that Topaz is trained with."""
    with replacing(path, overwrite=True) as temporary, temporary.open("w", encoding="ascii") as out:
        out.write(HEADER)
        for part in parts:
            out.write(part.read_text("ascii").removeprefix(HEADER))
