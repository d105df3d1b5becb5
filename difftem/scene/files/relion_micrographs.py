"""RELION's table of micrographs, with the optics and the defocus of each."""

from pathlib import Path

from difftem.io.files import replacing
from difftem.io.star import star_text
from difftem.scene.files.relion_write import (
    Defocus,
    RelionOptics,
    check_word,
    defocus_columns,
    optics_table,
)


def write_relion_micrographs(
    path: str | Path,
    optics: RelionOptics,
    defocus: Defocus,
    micrograph: str,
    *,
    overwrite: bool = False,
) -> None:
    """Write RELION's ``micrographs.star`` (version 3.1 to 5) of one micrograph.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    optics : RelionOptics
        Of the micrograph.
    defocus : Defocus
        Of the middle of the sample.
    micrograph : str
        Its file name, without blanks.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    ValueError
        If the name has blanks.
    """
    check_word("micrograph", micrograph)
    table = {
        "rlnMicrographName": [micrograph],
        "rlnOpticsGroup": ["1"],
        **defocus_columns([defocus], [0.0]),
    }
    sizes = ("rlnMicrographPixelSize", "rlnMicrographOriginalPixelSize")
    text = star_text({"optics": optics_table(optics, sizes), "micrographs": table})
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
