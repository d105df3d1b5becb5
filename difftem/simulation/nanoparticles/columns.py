"""Atomic columns in the pixels of an image, and their table on disk."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.delimited import read_delimited
from difftem.io.errors import input_error
from difftem.io.files import replacing
from difftem.scene.nanoparticle.columns import REGIONS, AtomicColumns
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging

NAMES = ("x_pixel", "y_pixel", "atomic_number", "atoms", "region", "surface")


@dataclass(frozen=True, eq=False)
class ProjectedColumns:
    """Columns of atoms as an image shows them.

    Attributes
    ----------
    positions : Tensor
        x, y in pixels of the stored image, from the middle of the first one, shape ``(n, 2)``.
    atomic_numbers, atoms : Tensor
        Element and number of atoms of each, shape ``(n,)``.
    regions : Tensor
        Index into `difftem.scene.nanoparticle.columns.REGIONS`, shape ``(n,)``.
    surface : Tensor
        Whether each is next to vacuum, shape ``(n,)``.
    """

    positions: Tensor
    atomic_numbers: Tensor
    atoms: Tensor
    regions: Tensor
    surface: Tensor

    def __len__(self) -> int:
        return len(self.atoms)

    @property
    def region_names(self) -> list[str]:
        """Region of each in words."""
        return [REGIONS[each] for each in self.regions.tolist()]


def projected_columns(columns: AtomicColumns, imaging: NanoparticleImaging) -> ProjectedColumns:
    """Find the columns that an image shows, in its pixels.

    Parameters
    ----------
    columns : AtomicColumns
        After the tilt.
    imaging : NanoparticleImaging
        Sampling.

    Returns
    -------
    ProjectedColumns
        Those inside.
    """
    positions = columns.positions / imaging.pixel_size + imaging.size // 2
    inside = ((positions > -0.5) & (positions < imaging.size - 0.5)).all(1)
    return ProjectedColumns(
        positions[inside],
        columns.atomic_numbers[inside],
        columns.counts[inside],
        columns.regions[inside],
        columns.surface[inside],
    )


def write_columns(path: Path, columns: ProjectedColumns) -> None:
    """Write a table, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(NAMES)
    for (x, y), number, atoms, region, surface in zip(
        columns.positions.tolist(),
        columns.atomic_numbers.tolist(),
        columns.atoms.tolist(),
        columns.region_names,
        columns.surface.tolist(),
        strict=True,
    ):
        writer.writerow([f"{x:.4f}", f"{y:.4f}", number, atoms, region, int(surface)])
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_columns(path: Path) -> ProjectedColumns:
    """Read a table that `write_columns` wrote.

    Raises
    ------
    InputError
        If it is missing or is no such table.
    """
    table = read_delimited(path, ",".join(NAMES))
    if tuple(table.names) != NAMES:
        raise input_error(path, f"its first line must be {','.join(NAMES)}")
    numbers = [
        [
            table.number(line, name, cell)
            for name, cell in zip(NAMES, cells, strict=True)
            if name != "region"
        ]
        for line, cells in table.rows
    ]
    for line, cells in table.rows:
        if cells[4] not in REGIONS:
            raise input_error(
                path, f"line {line}: region must be one of {', '.join(REGIONS)}, got {cells[4]!r}"
            )
    values = torch.tensor(numbers, dtype=torch.float64).reshape(-1, len(NAMES) - 1)
    regions = torch.tensor([REGIONS.index(cells[4]) for _, cells in table.rows], dtype=torch.int64)
    return ProjectedColumns(
        values[:, :2], values[:, 2].long(), values[:, 3].long(), regions, values[:, 4].bool()
    )
