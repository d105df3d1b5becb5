"""Lists of boxes: EMAN's .box, RELION's coordinates, CSV."""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from difftem.io.errors import input_error
from difftem.io.files import read_bytes, unpacked_suffix
from difftem.io.star import read_star, star_numbers

_PIXEL_SIZES = ("rlnMicrographPixelSize", "rlnMicrographOriginalPixelSize")
_NUMBERS = ("x", "y", "width", "height", "pixel_size")
_TOLERANCE = 0.01  # of pixel sizes that are the same


@dataclass(frozen=True)
class _Listed:
    """A box of a list: its middle pixel, its extent where the list says, its words."""

    x: float
    y: float
    extent: float | None
    text: str


def read_boxes(
    path: str | Path,
    micrograph: str,
    pixel_size: float | None,  # Å
    size: int,
    shape: tuple[int, int],
) -> list[tuple[int, int]]:
    """Read where to crop one micrograph.

    Parameters
    ----------
    path : str or Path
        ``.box``: x y width height of EMAN, the corner in pixels. ``.star``: RELION's
        ``_rlnCoordinateX``, ``_rlnCoordinateY``, the middle in pixels; rows of other micrographs
        (``_rlnMicrographName``) are skipped. ``.csv``: a line of names with x and y, the corner
        in pixels, and if you like width, height, pixel_size (Å) and micrograph.
    micrograph : str
        Name of the image file without folder.
    pixel_size : float or None
        Of the image in Å.
    size : int
        Side of the crops in pixels; a crop lies in the middle of its box.
    shape : tuple of int
        (y, x) of the image.

    Returns
    -------
    list of tuple of int
        First row and column of each crop, in the order of the file.

    Raises
    ------
    InputError
        If the file is missing or not readable, has no box for this micrograph, says another
        pixel size than that of the image, or has a box that is smaller than the crop, lies
        outside the image, or is there twice.
    """
    readers = {".box": _read_eman, ".star": _read_relion, ".csv": _read_csv}
    suffix = unpacked_suffix(path)
    if suffix not in readers:
        raise input_error(path, f"a list of boxes must be .box, .star or .csv, got {suffix!r}")
    boxes, pixel_sizes = readers[suffix](path, micrograph, size)
    if not boxes:
        raise input_error(path, f"no box for {micrograph}")
    for listed in pixel_sizes:
        if pixel_size is not None and abs(listed - pixel_size) > _TOLERANCE * pixel_size:
            raise input_error(
                path, f"pixel size is {listed:g} Å, but {micrograph} has {pixel_size:g} Å"
            )
    corners: dict[tuple[int, int], _Listed] = {}
    for box in boxes:
        corner = _corner(path, box, size, shape)
        if corner in corners:  # its noise would count twice
            raise input_error(
                path, f"boxes {corners[corner].text} and {box.text} are the same crop: give it once"
            )
        corners[corner] = box
    return list(corners)


def _corner(path: str | Path, box: _Listed, size: int, shape: tuple[int, int]) -> tuple[int, int]:
    """First row and column of the crop in the middle of a box."""
    if box.extent is not None and box.extent < size:
        raise input_error(path, f"box {box.text} is smaller than the crop of {size} pixels")
    y, x = (math.floor(middle + 0.5) - size // 2 for middle in (box.y, box.x))
    if y < 0 or x < 0 or y + size > shape[0] or x + size > shape[1]:
        raise input_error(
            path,
            f"box {box.text} with a crop of {size} pixels is outside the image of "
            f"{shape[1]} x {shape[0]} pixels (x, y)",
        )
    return y, x


_Found = tuple[list[_Listed], list[float]]


def _read_eman(path: str | Path, micrograph: str, size: int) -> _Found:
    """Boxes of a text file with the corner, width and height in each line."""
    boxes = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            x, y, width, height = (_finite(cell) for cell in line.split()[:4])
        except ValueError:
            raise input_error(
                path, f"line {number}: expected x y width height, got {line.strip()!r}"
            ) from None
        boxes.append(_from_corner(x, y, width, height, f"line {number}"))
    return boxes, []


def _read_relion(path: str | Path, micrograph: str, size: int) -> _Found:
    """Middles from the table with coordinates, pixel sizes from it or from the optics."""
    tables = read_star(path)
    table = next((t for t in tables.values() if "rlnCoordinateX" in t), None)
    if table is None:
        raise input_error(path, "no table with _rlnCoordinateX and _rlnCoordinateY")
    xs, ys = (star_numbers(path, table, f"rlnCoordinate{axis}") for axis in "XY")
    names = table.get("rlnMicrographName", [micrograph] * len(xs))
    boxes = [
        _Listed(float(x), float(y), None, f"at {x:g} {y:g}")
        for x, y, name in zip(xs, ys, names, strict=True)
        if Path(name).name == micrograph
    ]
    sizes = [
        float(size)
        for source in (table, tables.get("optics", {}))
        for column in _PIXEL_SIZES
        if column in source
        for size in np.unique(star_numbers(path, source, column))
    ]
    return boxes, sizes


def _read_csv(path: str | Path, micrograph: str, size: int) -> _Found:
    """Boxes of a table with a line of names."""
    reader = csv.DictReader(io.StringIO(_text(path)), skipinitialspace=True)
    names = [name.strip().lower() for name in reader.fieldnames or []]
    if not {"x", "y"} <= set(names):
        raise input_error(path, f"the first line must name x and y, got {', '.join(names)!r}")
    boxes, pixel_sizes = [], []
    for number, cells in enumerate(reader, start=2):
        row = {str(k).strip().lower(): v for k, v in cells.items() if isinstance(v, str)}
        if Path(row.get("micrograph", "").strip() or micrograph).name != micrograph:
            continue
        try:
            given = {name: _finite(row[name]) for name in _NUMBERS if row.get(name, "").strip()}
            x, y = given["x"], given["y"]
        except (KeyError, ValueError):
            raise input_error(path, f"line {number}: expected numbers, got {cells}") from None
        width, height = (given.get(name, float(size)) for name in ("width", "height"))
        boxes.append(_from_corner(x, y, width, height, f"line {number}"))
        pixel_sizes += [given["pixel_size"]] if "pixel_size" in given else []
    return boxes, pixel_sizes


def _finite(cell: str) -> float:
    """Read a number; ValueError for inf and nan, too."""
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, got {cell}")
    return number


def _from_corner(x: float, y: float, width: float, height: float, where: str) -> _Listed:
    """Box by its corner."""
    text = f"{x:g} {y:g} {width:g} {height:g} in {where}"
    return _Listed(x + width // 2, y + height // 2, min(width, height), text)


def _text(path: str | Path) -> str:
    """Text of a file."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise input_error(path, f"not a text file: {error}") from None
