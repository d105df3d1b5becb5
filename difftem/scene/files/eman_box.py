"""EMAN's boxes: where particles are in a micrograph."""

from pathlib import Path

from torch import Tensor

from difftem.io.files import replacing


def write_eman_box(
    path: str | Path,
    pixels: Tensor,  # (n, 2) pixels
    box_size: int,
    *,
    overwrite: bool = False,
) -> None:
    """Write EMAN's ``.box``: a line ``x y width height`` for each box, tab between the numbers.

    x and y are those of the corner of least x and y, whole pixels counted from 0; the particle lies
    in the box's pixel n // 2.

    Parameters
    ----------
    path : str or Path
        File to write, named as its micrograph, in a folder that exists.
    pixels : Tensor
        Centres as x, y, 0 being the middle of the first pixel, shape ``(n, 2)``.
    box_size : int
        Side in pixels.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    """
    corners = pixels.round().long() - box_size // 2
    lines = [f"{x}\t{y}\t{box_size}\t{box_size}\n" for x, y in corners.tolist()]
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text("".join(lines), encoding="ascii")
