"""What a microscope wrote beside the pixels: SerialEM's .mdoc and the extended header of FEI."""

import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import mrcfile

from difftem.io.files import read_bytes, unpacked_suffix

_ANGSTROM_PER_M = 1e10


@dataclass(frozen=True)
class Acquisition:
    """Facts of an exposure; None where nothing says.

    Attributes
    ----------
    pixel_size : float or None
        Å.
    dose_e_per_a2 : float or None
        As the microscope believes it: only as good as its calibration.
    source : str
        What says so.
    """

    pixel_size: float | None = None
    dose_e_per_a2: float | None = None
    source: str = ""


def read_acquisition(path: Path) -> Acquisition:
    """Read what is known of an image from the file beside it, or from its extended header.

    Parameters
    ----------
    path : Path
        Image; ``<path>.mdoc`` is looked for beside it.

    Returns
    -------
    Acquisition
        Empty where there is neither.

    References
    ----------
    SerialEM's manual, "mdoc"; MRC2014's extended header of type FEI1 and FEI2.
    """
    mdoc = path.with_name(f"{path.name}.mdoc")
    if mdoc.is_file():
        text = read_bytes(mdoc).decode("utf-8", errors="replace")
        return Acquisition(_entry(text, "PixelSpacing"), _entry(text, "ExposureDose"), mdoc.name)
    if unpacked_suffix(path) in {".mrc", ".mrcs"}:
        return _from_extended_header(path)
    return Acquisition()


def _entry(text: str, name: str) -> float | None:
    """Last value of an entry: that of the section where there is one; 0 says nothing."""
    cells = re.findall(rf"^{name}\s*=\s*(\S+)\s*$", text, flags=re.MULTILINE)
    try:
        return _known(float(cells[-1])) if cells else None
    except ValueError:
        return None


def _from_extended_header(path: Path) -> Acquisition:
    """Read the first section of a header of type FEI1 or FEI2: SI units."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reader of the data has reported what is wrong
        mrc = mrcfile.open(path, permissive=True, header_only=True)
    with mrc:
        if mrc.header.exttyp.item() not in (b"FEI1", b"FEI2"):
            return Acquisition()
        header = mrc.indexed_extended_header
        if header is None or len(header) == 0:
            return Acquisition()
        kind = mrc.header.exttyp.item().decode()
        dose, pixel_size = float(header["Dose"][0]), float(header["Pixel size X"][0])
    return Acquisition(
        _known(pixel_size * _ANGSTROM_PER_M),
        _known(dose / _ANGSTROM_PER_M**2),
        f"extended header {kind}",
    )


def _known(value: float) -> float | None:
    """Take a positive number; anything else means that nobody filled it in."""
    return value if math.isfinite(value) and value > 0 else None
