"""RELION's tables of particles as copies in a scene."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.star import StarTable, read_star, star_numbers
from difftem.scene.files.euler import rotation_from_relion
from difftem.scene.files.relion_write import ANGLES, HEIGHT, PARTICLE, SAMPLE
from difftem.scene.poses import ParticlePoses

logger = logging.getLogger(__name__)

_SUBTOMOGRAM = ("rlnTomoSubtomogramRot", "rlnTomoSubtomogramTilt", "rlnTomoSubtomogramPsi")
_ORIGIN = tuple(f"rlnOrigin{axis}Angst" for axis in "XYZ")
_PIXEL = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
_CENTERED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
# Coordinates count the pixels of the micrograph or tilt image, not of an extracted, binned box.
_PIXEL_SIZES = (
    "rlnMicrographPixelSize",
    "rlnTomoTiltSeriesPixelSize",
    "rlnMicrographOriginalPixelSize",
    "rlnImagePixelSize",
)
_IMAGES = ("rlnMicrographName", "rlnTomoName")
LISTED = 8  # images at most in a message


def read_relion_particles(
    path: str | Path,
    *,
    particle: str = "particle",
    pixel_size: float | None = None,
    shape: tuple[int, ...] | None = None,
    image: str | None = None,
) -> tuple[ParticlePoses, ...]:
    """Read where RELION has particles of one micrograph or tomogram, and how they are turned.

    Centred coordinates in Å (RELION 5) are taken as they are; others count pixels and need the
    pixel size and the shape of the image. Origins are subtracted and rotations of subtomograms
    applied. What a file does not say is 0: z of a micrograph, angles of picks.

    The file's pixel size wins over the one that is passed. Where they differ, the image is taken to
    cover the field that `shape` and `pixel_size` span.

    Parameters
    ----------
    path : str or Path
        STAR file with a table of particles, also as ``.gz``.
    particle : str
        Name of the particle, for files that difftem did not write.
    pixel_size : float, optional
        In Å, of `shape`, and of the coordinates if the file does not say.
    shape : tuple of int, optional
        Of the image, (y, x), or of the tomogram, (z, y, x); pixel n // 2 is the origin.
    image : str, optional
        Which micrograph or tomogram, if the file has several.

    Returns
    -------
    tuple of ParticlePoses
        One entry per particle, in the order of the file.

    Raises
    ------
    InputError
        If the file is missing, no STAR file or has no particles, if a column is missing or a cell
        is not a number, or if it has several images.
    """
    tables = read_star(path)
    table = _select_image(path, _particles(path, tables), image)
    if missing := [name for name in ANGLES if name not in table]:
        logger.warning("%s has no %s: taken as 0", Path(path).name, ", ".join(missing))
    subtomogram = rotation_from_relion(_optional(path, table, _SUBTOMOGRAM))
    rotations = subtomogram @ rotation_from_relion(_optional(path, table, ANGLES))
    positions = _positions(path, table, tables.get("optics", {}), pixel_size, shape)
    if "rlnOriginX" in table and _ORIGIN[0] not in table:
        raise input_error(path, "has rlnOriginX in pixels (RELION 3.0): use relion_convert_star")
    origins = _optional(path, table, _ORIGIN)
    positions = positions - (subtomogram @ origins[:, :, None]).squeeze(-1)
    names = np.array(table.get(PARTICLE, [particle] * len(positions)))
    return tuple(
        ParticlePoses(name, positions[names == name], rotations[names == name])
        for name in dict.fromkeys(names.tolist())
    )


def _particles(path: str | Path, tables: dict[str, StarTable]) -> StarTable:
    """Find the table of particles: that of this name, or the first with coordinates."""
    candidates = [tables[name] for name in ("particles", *tables) if name in tables]
    for table in candidates:
        if _PIXEL[0] in table or _CENTERED[0] in table:
            if not table[next(iter(table))]:
                raise input_error(path, "the table of particles is empty")
            return table
    columns = ", ".join(name for table in candidates for name in table)
    raise input_error(path, f"no column {_PIXEL[0]} or {_CENTERED[0]}, found {columns or 'none'}")


def _select_image(path: str | Path, table: StarTable, image: str | None) -> StarTable:
    """Rows of one micrograph or tomogram."""
    column = next((name for name in _IMAGES if name in table), None)
    known = Counter(table[column]) if column else Counter()
    if image is None and len(known) <= 1:
        return table
    listed = ", ".join(f"{name} ({n} particles)" for name, n in list(known.items())[:LISTED])
    listed += ", ..." if len(known) > LISTED else ""
    if image is None:
        raise input_error(path, f"has {len(known)} images, choose one with 'image': {listed}")
    if column is None or image not in known:
        raise input_error(path, f"no image {image!r}, it has {listed or 'no names of images'}")
    rows = [i for i, name in enumerate(table[column]) if name == image]
    return {name: [cells[i] for i in rows] for name, cells in table.items()}


def _positions(
    path: str | Path,
    table: StarTable,
    optics: StarTable,
    pixel_size: float | None,
    shape: tuple[int, ...] | None,
) -> Tensor:  # (n, 3)
    """Coordinates in Å from the origin, before RELION's shifts."""
    if _CENTERED[0] in table:
        return torch.from_numpy(np.stack([star_numbers(path, table, c) for c in _CENTERED], 1))
    if shape is None:
        raise input_error(path, f"{_PIXEL[0]} counts pixels: pass the shape of the image")
    size = _pixel_sizes(path, table, optics, pixel_size)
    # Pixels of the file, as many as cover the field.
    scale = np.ones_like(size) if pixel_size is None else pixel_size / size
    if len(shape) == 2 and _PIXEL[2] in table:
        raise input_error(path, f"has {_PIXEL[2]}: pass the shape (z, y, x) of the tomogram")
    columns = [
        (star_numbers(path, table, name) - np.round(n * scale) // 2) * size
        for name, n in zip(_PIXEL, reversed(shape), strict=False)
    ]
    if all(name in table for name in SAMPLE):  # a tilted beam has moved the image
        columns[:2] = [star_numbers(path, table, name) for name in SAMPLE]
    if len(columns) == 2:
        height = star_numbers(path, table, HEIGHT) if HEIGHT in table else np.zeros(len(size))
        columns.append(height)
    return torch.from_numpy(np.stack(columns, 1))


def _pixel_sizes(
    path: str | Path, table: StarTable, optics: StarTable, pixel_size: float | None
) -> NDArray[np.float64]:  # (n,)
    """Pixel size of each particle's image in Å."""
    n = len(table[_PIXEL[0]])
    for name in _PIXEL_SIZES:
        if name not in table and name not in optics:
            continue
        source = table if name in table else optics
        sizes = star_numbers(path, source, name)
        if not (sizes > 0).all():
            raise input_error(path, f"{name} must be positive, got {sizes.min():g} Å")
        if source is table:
            return sizes
        groups = optics.get("rlnOpticsGroup", ["1"])
        by_group = dict(zip(groups, sizes.tolist(), strict=True))
        wanted = table.get("rlnOpticsGroup", groups[:1] * n)
        if missing := set(wanted) - by_group.keys():
            raise input_error(path, f"no optics group {min(missing)} in the optics table")
        return np.array([by_group[group] for group in wanted])
    if pixel_size is not None:
        return np.full(n, float(pixel_size))
    raise input_error(path, f"no pixel size: pass one, or give {_PIXEL_SIZES[0]}")


def _optional(path: str | Path, table: StarTable, names: Sequence[str]) -> Tensor:  # (n, 3)
    """Columns, 0 where the file has none."""
    zero = np.zeros(len(next(iter(table.values()))))
    columns = [star_numbers(path, table, name) if name in table else zero for name in names]
    return torch.from_numpy(np.stack(columns, 1))
