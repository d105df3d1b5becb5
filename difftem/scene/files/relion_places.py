"""RELION's coordinates and origins as places in Å."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.star import StarTable, star_numbers
from difftem.scene.files.relion_pixels import PixelSizes, image_pixels
from difftem.scene.files.relion_write import HEIGHT, SAMPLE

_MOST = 1e12  # of any column; more would overflow
PIXEL = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
_ORIGIN = tuple(f"rlnOrigin{axis}Angst" for axis in "XYZ")
_ORIGIN_PIXEL = tuple(f"rlnOrigin{axis}" for axis in "XYZ")  # RELION 3.0


class ParticleTable:
    """Columns of a table of particles, and which of them were looked at.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    columns : dict
        Equally long, at least one.
    """

    def __init__(self, path: str | Path, columns: StarTable) -> None:
        self.path, self.columns, self.used = path, columns, set[str]()
        self.n = len(next(iter(columns.values())))

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a column."""
        return name in self.columns

    def numbers(self, name: str) -> NDArray[np.float64]:  # (n,)
        """Take a column as numbers."""
        self.used.add(name)
        numbers = star_numbers(self.path, self.columns, name)
        if (np.abs(numbers) > _MOST).any():
            row = int((np.abs(numbers) > _MOST).argmax())
            raise input_error(
                self.path,
                f"row {row + 1}: {name} must be within {_MOST:g}, got {self.columns[name][row]}",
            )
        return numbers

    def vectors(self, names: Sequence[str]) -> Tensor:  # (n, 3)
        """Take columns, 0 where the file has none."""
        zero = np.zeros(self.n)
        columns = [self.numbers(name) if name in self else zero for name in names]
        return torch.from_numpy(np.stack(columns, 1))


def pixel_positions(
    table: ParticleTable,
    sizes: PixelSizes,
    pixel_size: float | None,
    shape: tuple[int, ...] | None,
    tomogram_size: tuple[int, int, int] | None,
) -> tuple[Tensor, str]:  # (n, 3), ()
    """Turn coordinates that count pixels into Å from the origin, before RELION's shifts.

    Parameters
    ----------
    table : ParticleTable
        With coordinates.
    sizes : PixelSizes
        Of the pixels that they count.
    pixel_size : float or None
        Of `shape` in Å.
    shape : tuple of int or None
        Of the image (y, x) or tomogram (z, y, x) that the field covers.
    tomogram_size : tuple of int or None
        (x, y, z) of the tomogram in its own pixels, instead.

    Returns
    -------
    positions : Tensor
        Å, shape ``(n, 3)``.
    how : str
        In which pixels, about which centre.

    Raises
    ------
    InputError
        If a column or the shape is missing.
    """
    size, has_z = sizes.values, PIXEL[2] in table
    if tomogram_size is not None:
        if not has_z:
            raise input_error(
                table.path, f"tomogram_size applies to tomograms, this file has no {PIXEL[2]}"
            )
        extent = [np.full(table.n, n) for n in tomogram_size]
    elif shape is None:
        raise input_error(table.path, f"{PIXEL[0]} counts pixels: pass the shape of the image")
    elif len(shape) == 2 and has_z:
        raise input_error(
            table.path,
            f"has {PIXEL[2]}: give tomogram_size [x, y, z], the voxels of the tomogram (or pass "
            "the shape (z, y, x) of the tomogram)",
        )
    else:
        # Pixels of the file, as many as cover the field.
        scale = np.ones_like(size) if pixel_size is None else pixel_size / size
        extent = [np.round(n * scale) for n in reversed(shape)]
    middle = [n // 2 for n in extent]
    columns = [
        (table.numbers(name) - center) * size for name, center in zip(PIXEL, middle, strict=False)
    ]
    if all(name in table for name in SAMPLE):  # a tilted beam has moved the image
        columns[:2] = [table.numbers(name) for name in SAMPLE]
    if len(columns) == 2:
        columns.append(table.numbers(HEIGHT) if HEIGHT in table else np.zeros(table.n))
    center = ", ".join(f"{each[0]:.0f}" for each in middle)
    axes = " ".join(PIXEL[: len(middle)])
    return torch.from_numpy(np.stack(columns, 1)), f"{axes} in {sizes}, centre at ({center})"


def origins(table: ParticleTable, optics: StarTable) -> tuple[Tensor, str]:  # (n, 3), ()
    """Read RELION's shifts.

    Parameters
    ----------
    table : ParticleTable
        Of particles.
    optics : dict
        Optics groups if the file has them.

    Returns
    -------
    shifts : Tensor
        Å, shape ``(n, 3)``; 0 where the file has none.
    how : str
        The columns that they are from; empty where they do nothing.

    Raises
    ------
    InputError
        If they count pixels of an unknown size.
    """
    if given := [name for name in _ORIGIN if name in table]:
        return table.vectors(_ORIGIN), " ".join(given)
    given = [name for name in _ORIGIN_PIXEL if name in table]
    if not given:
        return torch.zeros(table.n, 3, dtype=torch.float64), ""
    shifts = table.vectors(_ORIGIN_PIXEL)
    if not bool(shifts.any()):
        return shifts, ""
    sizes = image_pixels(table.path, table.columns, optics, table.n)
    if sizes is None:
        raise input_error(
            table.path,
            f"has {given[0]} in pixels (RELION 3.0) and no size of the extracted images' pixels: "
            "use relion_convert_star",
        )
    table.used |= sizes.used
    return shifts * torch.from_numpy(sizes.values)[:, None], f"{' '.join(given)} in {sizes}"
