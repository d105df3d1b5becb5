"""Lists of boxes: EMAN's .box, RELION's coordinates, CSV."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from difftem.io.account import give_account
from difftem.io.delimited import read_delimited
from difftem.io.errors import input_error
from difftem.io.files import unpacked_suffix
from difftem.io.star import read_star, star_numbers
from difftem.io.text import read_text

_PIXEL_SIZES = ("rlnMicrographPixelSize", "rlnMicrographOriginalPixelSize")
_MICROGRAPH = "rlnMicrographName"
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
    found = readers[suffix](path, micrograph, size)
    if not found.boxes:
        raise input_error(path, f"no box for {micrograph}")
    for listed in found.pixel_sizes:
        if pixel_size is not None and abs(listed - pixel_size) > _TOLERANCE * pixel_size:
            raise input_error(
                path, f"pixel size is {listed:g} Å, but {micrograph} has {pixel_size:g} Å"
            )
    corners: dict[tuple[int, int], _Listed] = {}
    for box in found.boxes:
        corner = _corner(path, box, size, shape)
        if corner in corners:  # its noise would count twice
            raise input_error(
                path, f"boxes {corners[corner].text} and {box.text} are the same crop: give it once"
            )
        corners[corner] = box
    taken = [f"{len(corners)} of {found.rows} boxes, those of {micrograph}, {found.how} in pixels"]
    if found.pixel_sizes and pixel_size is not None:
        taken.append(f"of {found.pixel_sizes[0]:g} Å, as in the image")
    give_account(path, taken, found.left)
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


@dataclass(frozen=True)
class _Found:
    """What a list has for one micrograph."""

    boxes: list[_Listed]
    rows: int  # for all micrographs
    how: str
    pixel_sizes: list[float]
    left: list[str]


def _read_eman(path: str | Path, micrograph: str, size: int) -> _Found:
    """Boxes of a text file with the corner, width and height in each line."""
    boxes, wider = [], False
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            x, y, width, height = (_finite(cell) for cell in line.split()[:4])
        except ValueError:
            raise input_error(
                path, f"line {number}: expected x y width height, got {line.strip()!r}"
            ) from None
        boxes.append(_from_corner(x, y, width, height, f"line {number}"))
        wider |= len(line.split()) > 4
    left = ["what follows the fourth column"] if wider else []
    return _Found(boxes, len(boxes), "x y of the corner, width and height", [], left)


def _read_relion(path: str | Path, micrograph: str, size: int) -> _Found:
    """Middles from the table with coordinates, pixel sizes from it or from the optics."""
    tables = read_star(path)
    table = next((t for t in tables.values() if "rlnCoordinateX" in t), None)
    if table is None:
        raise input_error(path, "no table with _rlnCoordinateX and _rlnCoordinateY")
    n = len(table["rlnCoordinateX"])  # a block may hold pairs beside the table
    table = {name: cells for name, cells in table.items() if len(cells) == n}
    xs, ys = (star_numbers(path, table, f"rlnCoordinate{axis}") for axis in "XY")
    names = table.get(_MICROGRAPH, [micrograph] * len(xs))
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
    used = {"rlnCoordinateX", "rlnCoordinateY", _MICROGRAPH, *_PIXEL_SIZES}
    rest = [column for column in table if column not in used]
    how = "rlnCoordinateX rlnCoordinateY of the middle"
    return _Found(boxes, len(xs), how, sizes, rest)


def _read_csv(path: str | Path, micrograph: str, size: int) -> _Found:
    """Boxes of a table with a line of names."""
    table = read_delimited(path, "x and y")
    if not {"x", "y"} <= set(table.names):
        raise input_error(path, f"the first line must name x and y, got {', '.join(table.names)!r}")
    boxes, pixel_sizes = [], []
    for number, cells in table.rows:
        row = dict(zip(table.names, cells, strict=True))
        if Path(row.get("micrograph", "") or micrograph).name != micrograph:
            continue
        given = {
            name: table.number(number, name, row[name])
            for name in _NUMBERS
            if row.get(name, "") or name in ("x", "y")
        }
        width, height = (given.get(name, float(size)) for name in ("width", "height"))
        boxes.append(_from_corner(given["x"], given["y"], width, height, f"line {number}"))
        pixel_sizes += [given["pixel_size"]] if "pixel_size" in given else []
    rest = [name for name in table.names if name and name not in (*_NUMBERS, "micrograph")]
    return _Found(boxes, len(table.rows), "x y of the corner", pixel_sizes, rest)


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
