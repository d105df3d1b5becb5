"""RELION's coordinate files: picks of one micrograph."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from difftem.io.files import replacing
from difftem.io.star import star_text
from difftem.scene.files.relion_write import decimals

SUFFIX = "_truth.star"


def write_relion_picks(
    path: str | Path,
    pixels: Tensor,  # (n, 2) pixels
    *,
    overwrite: bool = False,
) -> None:
    """Write a coordinate file as RELION's pickers leave it.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists: the micrograph's name with `SUFFIX`.
    pixels : Tensor
        Centres as x, y, 0 being the middle of the first pixel, shape ``(n, 2)``.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    """
    x, y = pixels.T
    columns = {"rlnCoordinateX": decimals(x), "rlnCoordinateY": decimals(y)}
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text(star_text({"": columns}), encoding="ascii")


def write_relion_coordinate_files(
    path: Path, micrographs: Sequence[str], coordinates: Sequence[str]
) -> None:
    """Write the table (RELION 4 and 5) that names the coordinate file of each micrograph."""
    columns = {
        "rlnMicrographName": list(micrographs),
        "rlnMicrographCoordinates": list(coordinates),
    }
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(star_text({"coordinate_files": columns}), encoding="utf-8")
