"""RELION 5's tilt series, read: which images, how the sample stood for each, and their defocus."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.account import counted, give_account
from difftem.io.errors import input_error
from difftem.io.star import StarTable, read_star, star_numbers
from difftem.scene.files.euler import rotation_from_tilt
from difftem.scene.files.relion_write import Defocus

_TILTS = ("rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot")
_SHIFTS = ("rlnTomoXShiftAngst", "rlnTomoYShiftAngst")
_DEFOCUS = ("rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle")
_NAME, _IMAGE = "rlnTomoName", "rlnMicrographName"
_FILE, _PIXEL_SIZE = "rlnTomoTiltSeriesStarFile", "rlnTomoTiltSeriesPixelSize"


@dataclass(frozen=True, eq=False)
class RelionTilts:
    """A tilt series as RELION describes it.

    Attributes
    ----------
    name : str
        Of the tomogram.
    images : list of tuple of Path and int
        File and number, from 0, of the image of each tilt.
    rotations : Tensor
        Active, sample to microscope, ``(n_tilts, 3, 3)``.
    shifts : Tensor
        Of the images along x and y in Å, ``(n_tilts, 2)``.
    pixel_size : float or None
        Å.
    thickness : int or None
        Of the tomogram in pixels of the images.
    defocus : list of Defocus
        Of each tilt; empty if unknown.
    voltage_kv, cs_mm, amplitude_contrast : float or None
        Of the microscope.
    """

    name: str
    images: list[tuple[Path, int]]
    rotations: Tensor
    shifts: Tensor
    pixel_size: float | None
    thickness: int | None
    defocus: list[Defocus]
    voltage_kv: float | None
    cs_mm: float | None
    amplitude_contrast: float | None


def read_relion_tilts(path: str | Path, tomogram: str | None = None) -> RelionTilts:
    """Read one tilt series of ``tomograms.star``, or of a file of one series.

    RELION names files from the folder of its project: they are looked for from the file's folder
    and those above it.

    Parameters
    ----------
    path : str or Path
        STAR file.
    tomogram : str, optional
        Which, where there are several.

    Returns
    -------
    RelionTilts
        Shifts and rotations are 0 where the series is not aligned by RELION yet.

    Raises
    ------
    InputError
        If a column, a file or the tomogram is missing.
    """
    path = Path(path)
    tables = read_star(path)
    table = tables.get("global") or next(iter(tables.values()), {})
    row: StarTable = {}
    series = path
    if _FILE in table:
        row = _row(path, table, tomogram)
        series = _find(path, row[_FILE][0])
        (table,) = read_star(series).values()
    if _IMAGE not in table:
        raise input_error(series, f"no column {_IMAGE}: not a tilt series of RELION 5")
    name = row[_NAME][0] if row else series.stem

    def columns(names: tuple[str, ...]) -> Tensor:
        return torch.stack([torch.from_numpy(star_numbers(series, table, n)) for n in names], -1)

    if _TILTS[1] not in table:
        raise input_error(series, f"no column {_TILTS[1]}: RELION has not aligned this series")
    defocus = columns(_DEFOCUS).tolist() if all(n in table for n in _DEFOCUS) else []
    phases = star_numbers(series, table, "rlnPhaseShift") if "rlnPhaseShift" in table else None
    n = len(table[_IMAGE])
    shifts = columns(_SHIFTS) if _SHIFTS[0] in table else torch.zeros(n, 2, dtype=torch.float64)
    found = RelionTilts(
        name,
        [_image(series, cell) for cell in table[_IMAGE]],
        rotation_from_tilt(columns(_TILTS)),
        shifts,
        _number(path, row, _PIXEL_SIZE) or _number(series, table, _PIXEL_SIZE),
        _thickness(path, row),
        [
            Defocus(u, v, angle, 0.0 if phases is None else float(phases[i]))
            for i, (u, v, angle) in enumerate(defocus)
        ],
        _number(path, row, "rlnVoltage"),
        _number(path, row, "rlnSphericalAberration"),
        _number(path, row, "rlnAmplitudeContrast"),
    )
    taken = [counted(n, "tilt"), f"tomogram {name}"]
    taken += ["defocus of each"] if defocus else []
    give_account(series, taken)
    return found


def _row(path: Path, table: StarTable, tomogram: str | None) -> StarTable:
    """Row of the tomogram that is asked for, or the only one."""
    names = table.get(_NAME, [])
    listed = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    if tomogram is None and len(names) != 1:
        raise input_error(path, f"has {len(names)} tomograms: choose one of {listed} (--tomogram)")
    chosen = names[0] if tomogram is None else tomogram
    if chosen not in names:
        raise input_error(path, f"no tomogram {chosen!r}, it has {listed}")
    index = names.index(chosen)
    return {column: [cells[index]] for column, cells in table.items()}


def _number(path: Path, table: StarTable, name: str) -> float | None:
    """First number of a column, if there is one."""
    return float(star_numbers(path, table, name)[0]) if table.get(name) else None


def _thickness(path: Path, row: StarTable) -> int | None:
    """Of the tomogram in pixels of the tilt series."""
    size = _number(path, row, "rlnTomoSizeZ")
    return round(size) if size and size > 0 else None


def _image(series: Path, cell: str) -> tuple[Path, int]:
    """File and number, from 0, of ``number@file`` or of a file of one image."""
    number, at, name = cell.partition("@")
    if not at:
        return _find(series, cell), 0
    if not number.strip().isdigit() or int(number) < 1:
        raise input_error(series, f"{_IMAGE} {cell!r}: expected number@file, numbers from 1")
    return _find(series, name.removesuffix(":mrcs")), int(number) - 1


def _find(beside: Path, name: str) -> Path:
    """Find a file from a folder or one of those above it."""
    for folder in beside.absolute().parents:
        if (folder / name).exists():
            return folder / name
    raise input_error(beside, f"names {name}, which is not in its folder or in one above it")
