"""Text matrices of a simulation: coordinates, tilts, errors, doses and defoci."""

from pathlib import Path

import torch
from torch import Tensor

from difftem.io.text_matrix import write_text_matrix
from difftem.tem_simulator.files.tilts import TiltGeometry
from difftem.units import ANGSTROM_PER_NM, angstrom_to_nm, angstrom_to_um, rad_to_deg


def write_coordinates(
    path: str | Path,
    positions: Tensor,  # (n, 3) Å
    rotations: Tensor,  # (n, 3, 3)
    *,
    overwrite: bool = False,
) -> None:
    """Write the particles of a set as a coordinate file, in nm and degrees.

    Parameters
    ----------
    path : str or Path
        File to write (``coord_file_out``), in a folder that exists.
    positions : Tensor
        In the sample, Å, shape ``(n, 3)``.
    rotations : Tensor
        In the sample, shape ``(n, 3, 3)``.
    overwrite : bool
        Replace a file that exists.
    """
    columns = torch.cat([angstrom_to_nm(positions), rad_to_deg(_euler(rotations))], -1)
    write_text_matrix(path, columns, ["x y z (nm) phi theta psi (degrees)"], overwrite=overwrite)


def write_geometry(path: str | Path, tilts: TiltGeometry, *, overwrite: bool = False) -> None:
    """Write the angles of the tilts without errors as a geometry file (``geom_file_out``)."""
    write_text_matrix(path, tilts.data_deg, ["psi theta phi (degrees)"], overwrite=overwrite)


def write_errors(path: str | Path, tilts: TiltGeometry, *, overwrite: bool = False) -> None:
    """Write the errors of the tilts as an error file (``error_file_out``)."""
    comment = "rotation, axis and angle of the tilt error (degrees), shift x y (nm)"
    write_text_matrix(path, tilts.errors, [comment], overwrite=overwrite)


def write_doses(
    path: str | Path,
    doses: Tensor,  # (n_tilts,) electrons/Å²
    *,
    overwrite: bool = False,
) -> None:
    """Write the dose of each image as a dose file (``dose_file_out``), in electrons/nm²."""
    column = doses[:, None] * ANGSTROM_PER_NM**2
    write_text_matrix(path, column, ["dose (electrons/nm^2)"], overwrite=overwrite)


def write_defoci(
    path: str | Path,
    defoci: Tensor,  # (n_tilts,) Å
    *,
    overwrite: bool = False,
) -> None:
    """Write the defocus of each image as a defocus file (``defocus_file_out``), in µm."""
    column = angstrom_to_um(defoci)[:, None]
    write_text_matrix(path, column, ["defocus (um), underfocus positive"], overwrite=overwrite)


def _euler(rotations: Tensor) -> Tensor:  # (n, 3) rad
    """Angles φ, θ, ψ with R = Rz(ψ) Rx(θ) Rz(φ), exact also where θ is 0 or π."""
    first, second, third = rotations.unbind(-2)
    phi = torch.atan2(third[:, 0], third[:, 1])
    theta = torch.atan2(torch.hypot(third[:, 0], third[:, 1]), third[:, 2])
    # R Rz(-φ) takes x to (cos ψ, sin ψ, 0).
    cos, sin = torch.cos(phi), torch.sin(phi)
    x, y = (row[:, 0] * cos - row[:, 1] * sin for row in (first, second))
    return torch.stack([phi, theta, torch.atan2(y, x)], -1)
