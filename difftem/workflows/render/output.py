"""The file of a rendering: its name, what is refused before the work."""

import os
from pathlib import Path

from difftem.io.errors import input_error
from difftem.workflows.render.movie import check_ffmpeg
from difftem.workflows.render.options import Style
from difftem.workflows.render.scene import EXTRA, has_pyvista

PICTURE, MOVIES, PAGE = ".png", (".mp4", ".gif"), ".html"
SUFFIXES = (PICTURE, *MOVIES, PAGE)


def check_render_output(path: Path, overwrite: bool, style: Style | None) -> None:
    """Refuse an output before the work that would be refused after it.

    Parameters
    ----------
    path : Path
        File to write.
    overwrite : bool
        Replace a file that exists.
    style : {"volume", "surface", "slices"} or None
        That was asked for.

    Raises
    ------
    ValueError
        If the file exists and `overwrite` is false, its folder does not exist, its suffix is none
        that is written, or this style or machine has no movies.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise input_error(path, "is a folder, expected a file name")
    if suffix not in SUFFIXES:
        raise input_error(path, f"the name must end in one of {' '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise input_error(path, f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise input_error(path, f"the folder {path.parent} cannot be written")
    if path.exists() and not overwrite:
        raise input_error(path, "exists already; --overwrite (overwrite=True) replaces it")
    if suffix != PICTURE:
        if style == "slices":
            raise input_error(path, "slices are a picture: .png, or --style volume or surface")
        if not has_pyvista():
            raise input_error(path, f"turning a volume needs pyvista ({EXTRA}); without it: .png")
    if suffix == ".mp4":
        check_ffmpeg()
