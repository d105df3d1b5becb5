"""RELION's tables of particles as copies in a scene."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from difftem.io.account import counted, give_account
from difftem.io.errors import input_error
from difftem.io.star import StarTable, read_star
from difftem.scene.files.euler import rotation_from_relion
from difftem.scene.files.relion_pixels import GROUP, coordinate_pixels
from difftem.scene.files.relion_places import PIXEL, ParticleTable, origins, pixel_positions
from difftem.scene.files.relion_write import ANGLES, PARTICLE
from difftem.scene.poses import ParticlePoses

logger = logging.getLogger(__name__)

_SUBTOMOGRAM = ("rlnTomoSubtomogramRot", "rlnTomoSubtomogramTilt", "rlnTomoSubtomogramPsi")
_CENTERED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
_IMAGES = ("rlnMicrographName", "rlnTomoName")
LISTED = 8  # images at most in a message


def read_relion_particles(
    path: str | Path,
    *,
    particle: str = "particle",
    pixel_size: float | None = None,
    shape: tuple[int, ...] | None = None,
    image: str | None = None,
    coordinates_pixel_size: float | None = None,
    tomogram_size: tuple[int, int, int] | None = None,
) -> tuple[ParticlePoses, ...]:
    """Read where RELION has particles of one micrograph or tomogram, and how they are turned.

    Centred coordinates in Å (RELION 5) are taken as they are; others count pixels and need the
    pixel size and the shape of the image. Origins are subtracted, in Å or in pixels of the
    extracted image (RELION 3.0), and rotations of subtomograms applied. What a file does not say is
    0: z of a micrograph, angles of picks.

    The file's pixel size wins over that of the field. Where they differ, the image is taken to
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
    coordinates_pixel_size : float, optional
        In Å, of the pixels that the coordinates count, instead of the file's.
    tomogram_size : tuple of int, optional
        (x, y, z) of the tomogram in those pixels, instead of `shape`.

    Returns
    -------
    tuple of ParticlePoses
        One entry per particle, in the order of the file.

    Raises
    ------
    InputError
        If the file is missing, no STAR file or has no particles, if a column is missing or a cell
        is not a number, if it has several images, or nothing says the size of the pixels.
    """
    tables = read_star(path)
    name, whole = _particles(path, tables)
    table = ParticleTable(path, _select_image(path, whole, image))
    optics = tables.get("optics", {})
    if missing := [angle for angle in ANGLES if angle not in table]:
        logger.warning("%s has no %s: taken as 0", Path(path).name, ", ".join(missing))
    subtomogram = rotation_from_relion(table.vectors(_SUBTOMOGRAM))
    rotations = subtomogram @ rotation_from_relion(table.vectors(ANGLES))
    if _CENTERED[0] in table:
        options = {
            "coordinates_pixel_size": coordinates_pixel_size,
            "tomogram_size": tomogram_size,
        }
        for option, value in options.items():
            if value is not None:
                raise input_error(path, f"{option} does not apply to {_CENTERED[0]}, which is in Å")
        positions = torch.from_numpy(np.stack([table.numbers(c) for c in _CENTERED], 1))
        where = "coordinates in Å from the centre"
    else:
        sizes = coordinate_pixels(
            path, table.columns, optics, coordinates_pixel_size, pixel_size, table.n
        )
        table.used |= sizes.used
        positions, where = pixel_positions(table, sizes, pixel_size, shape, tomogram_size)
    shifts, shifted = origins(table, optics)
    positions = positions - (subtomogram @ shifts[:, :, None]).squeeze(-1)
    given = [angle for angle in (*ANGLES, *_SUBTOMOGRAM) if angle in table]
    taken = [
        counted(table.n, "particle") + ("" if image is None else f" of {image}"),
        where,
        f"angles {' '.join(given)}" if given else "no angles",
        shifted,
    ]
    table.used |= {PARTICLE, *_IMAGES}
    give_account(path, filter(None, taken), _left(name, table, tables))
    names = np.array(table.columns.get(PARTICLE, [particle] * table.n))
    return tuple(
        ParticlePoses(each, positions[names == each], rotations[names == each])
        for each in dict.fromkeys(names.tolist())
    )


def _particles(path: str | Path, tables: dict[str, StarTable]) -> tuple[str, StarTable]:
    """Find the table of particles: that of this name, or the first with coordinates."""
    candidates = [name for name in dict.fromkeys(("particles", *tables)) if name in tables]
    for name in candidates:
        table = tables[name]
        first = next((column for column in (_CENTERED[0], PIXEL[0]) if column in table), None)
        if first is not None:
            if not table[first]:
                raise input_error(path, "the table of particles is empty")
            # A block may hold pairs, or a loop of something else, beside the table.
            return name, {c: cells for c, cells in table.items() if len(cells) == len(table[first])}
    columns = ", ".join(column for name in candidates for column in tables[name])
    raise input_error(path, f"no column {PIXEL[0]} or {_CENTERED[0]}, found {columns or 'none'}")


def _select_image(path: str | Path, table: StarTable, image: str | None) -> StarTable:
    """Rows of one micrograph or tomogram."""
    column = next((name for name in _IMAGES if name in table), None)
    known = Counter(table[column]) if column else Counter()
    if image is None and len(known) <= 1:
        return table
    listed = ", ".join(
        f"{name} ({counted(n, 'particle')})" for name, n in list(known.items())[:LISTED]
    )
    listed += ", ..." if len(known) > LISTED else ""
    if image is None:
        raise input_error(path, f"has {len(known)} images, choose one with 'image': {listed}")
    if column is None or image not in known:
        raise input_error(path, f"no image {image!r}, it has {listed or 'no names of images'}")
    rows = [i for i, name in enumerate(table[column]) if name == image]
    return {name: [cells[i] for i in rows] for name, cells in table.items()}


def _left(name: str, table: ParticleTable, tables: dict[str, StarTable]) -> list[str]:
    """Columns and tables that were not looked at."""
    left = [column for column in tables[name] if column not in table.used]
    for other, columns in tables.items():
        if other == "optics" and name != "optics":
            unused = [c for c in columns if c not in table.used | {GROUP}]
            left += [f"{' '.join(unused)} of optics"] if unused else []
        elif other != name:
            left.append(f"table {other.strip() or 'without a name'}")
    return left
