"""How large the pixels are that RELION's coordinates and origins count."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.errors import input_error
from difftem.io.star import StarTable, star_numbers

GROUP = "rlnOpticsGroup"
# Coordinates count the pixels of the micrograph or tilt image, not of an extracted, binned box.
_MICROGRAPH = ("rlnMicrographPixelSize", "rlnTomoTiltSeriesPixelSize")
_MOVIE = "rlnMicrographOriginalPixelSize"
_IMAGE = "rlnImagePixelSize"
_MAGNIFICATION, _DETECTOR = "rlnMagnification", "rlnDetectorPixelSize"  # RELION 3.0; µm
_ANGSTROM_PER_UM = 1e4
_OPTION = "coordinates_pixel_size"


@dataclass(frozen=True, eq=False)
class PixelSizes:
    """Pixel size of each particle's image.

    Attributes
    ----------
    values : ndarray
        Å, shape ``(n,)``.
    source : str
        Columns, or who said it.
    used : set of str
        Columns that were read.
    """

    values: NDArray[np.float64]
    source: str
    used: set[str]

    def __str__(self) -> str:
        """Say size and source: ``1.4 Å pixels (rlnMicrographPixelSize)``."""
        low, high = self.values.min(), self.values.max()
        size = f"{low:g}" if high - low < 1e-6 * high else f"{low:g} to {high:g}"
        return f"{size} Å pixels ({self.source})"


def coordinate_pixels(
    path: str | Path,
    table: StarTable,
    optics: StarTable,
    told: float | None,  # Å
    field: float | None,  # Å
    n: int,
) -> PixelSizes:
    """Find the pixel size of the micrographs that coordinates count in.

    Parameters
    ----------
    path : str or Path
        For messages.
    table, optics : dict
        Particles, and optics groups if the file has them.
    told : float or None
        What the user said: counts more than the file.
    field : float or None
        Pixel size of the field, for files that say nothing.
    n : int
        Particles.

    Returns
    -------
    PixelSizes
        Of the user, the file or the field.

    Raises
    ------
    InputError
        If there is none, or only that of extracted images is known.
    """
    if told is not None:
        return PixelSizes(np.full(n, told), "as told", set())
    for name in (*_MICROGRAPH, _MOVIE):
        if (found := _column(path, table, optics, name, n)) is not None:
            hint = f", of the movie: {_OPTION} if it was binned" if name == _MOVIE else ""
            return PixelSizes(found.values, name + hint, found.used)
    if (found := image_pixels(path, table, optics, n)) is not None:
        if _IMAGE not in found.used:
            return found
        raise input_error(
            path,
            f"says the pixel size of the extracted images only ({_IMAGE} {found.values[0]:g} Å), "
            f"but coordinates count pixels of the micrograph: give {_OPTION} in Å",
        )
    if field is None:
        raise input_error(
            path, f"no pixel size: pass one, or give {_MICROGRAPH[0]} or {_OPTION} in Å"
        )
    return PixelSizes(
        np.full(n, field),
        f"those of the field, as the file has none; {_OPTION} tells others",
        set(),
    )


def image_pixels(
    path: str | Path, table: StarTable, optics: StarTable, n: int
) -> PixelSizes | None:
    """Find the pixel size of extracted images, which old origins count in.

    Parameters
    ----------
    path : str or Path
        For messages.
    table, optics : dict
        Particles, and optics groups if the file has them.
    n : int
        Particles.

    Returns
    -------
    PixelSizes or None
        From RELION 3.1's column or the two of RELION 3.0, if they are there.
    """
    if (found := _column(path, table, optics, _IMAGE, n)) is not None:
        return found
    magnification = _column(path, table, optics, _MAGNIFICATION, n)
    detector = _column(path, table, optics, _DETECTOR, n)
    if magnification is None or detector is None:
        return None
    return PixelSizes(
        _ANGSTROM_PER_UM * detector.values / magnification.values,
        f"{_MAGNIFICATION} and {_DETECTOR}",
        magnification.used | detector.used,
    )


def _column(
    path: str | Path, table: StarTable, optics: StarTable, name: str, n: int
) -> PixelSizes | None:
    """Positive numbers of a column for each particle, from its own row or its optics group."""
    if name not in table and name not in optics:
        return None
    source = table if name in table else optics
    sizes = star_numbers(path, source, name)
    if not (sizes > 0).all():
        unit = " Å" if name not in (_MAGNIFICATION, _DETECTOR) else ""
        raise input_error(path, f"{name} must be positive, got {sizes.min():g}{unit}")
    if source is table:
        return PixelSizes(sizes, name, {name})
    if len(set(sizes.tolist())) == 1 and GROUP not in table:
        return PixelSizes(np.full(n, sizes[0]), name, {name})
    groups = optics.get(GROUP)
    if groups is None or GROUP not in table:
        where = "optics table" if groups is None else "table of particles"
        raise input_error(
            path, f"{name} differs between optics groups, and the {where} has no {GROUP}"
        )
    by_group = dict(zip(groups, sizes.tolist(), strict=False))
    if missing := set(table[GROUP]) - by_group.keys():
        raise input_error(path, f"no optics group {min(missing)} in the optics table")
    return PixelSizes(np.array([by_group[group] for group in table[GROUP]]), name, {name, GROUP})
