"""crYOLO's boxes (CBOX)."""

from pathlib import Path

from torch import Tensor

from difftem.io.files import replacing
from difftem.io.star import star_text

_NOT_KNOWN = "<NA>"


def write_cbox(
    path: str | Path,
    pixels: Tensor,  # (n, 2) pixels
    box_size: int,
    diameters: Tensor,  # (n,) pixels
    *,
    overwrite: bool = False,
) -> None:
    """Write crYOLO's ``.cbox``, version 1.0: corners and sides of boxes in pixels, confidence 1.

    Parameters
    ----------
    path : str or Path
        File to write, named as its micrograph, in a folder that exists.
    pixels : Tensor
        Centres as x, y, 0 being the middle of the first pixel, shape ``(n, 2)``.
    box_size : int
        Side in pixels; a box's corner is the centre less half of it.
    diameters : Tensor
        Of the particles in pixels, ``(n,)``: crYOLO's estimated width and height.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    """
    n = len(pixels)
    x, y = (pixels - box_size / 2).T.tolist() if n else ([], [])
    estimated = [f"{each:.4f}" for each in diameters.tolist()]
    boxes = {
        "CoordinateX": [f"{each:.4f}" for each in x],
        "CoordinateY": [f"{each:.4f}" for each in y],
        "CoordinateZ": [_NOT_KNOWN] * n,
        "Width": [f"{box_size:.1f}"] * n,
        "Height": [f"{box_size:.1f}"] * n,
        "Depth": [_NOT_KNOWN] * n,
        "EstWidth": estimated,
        "EstHeight": estimated,
        "Confidence": ["1.0"] * n,
        "NumBoxes": ["1.0"] * n,
        "Angle": [_NOT_KNOWN] * n,
    }
    text = "data_global\n\n_cbox_format_version 1.0\n\n" + star_text({"cryolo": boxes})
    text += "\ndata_cryolo_include\n\nloop_\n_slice_index #1\n\n"
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text(text, encoding="ascii")
