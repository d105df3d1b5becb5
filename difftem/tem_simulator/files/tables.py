"""Text matrices of a simulation: coordinates, tilts, errors, doses and defoci."""

from pathlib import Path

import torch
from torch import Tensor

from difftem.io.text_matrix import write_text_matrix
from difftem.tem_simulator.files.tilts import TiltGeometry
from difftem.units import ANGSTROM_PER_NM, angstrom_to_nm, angstrom_to_um, rad_to_deg


def write_coordinates(
    path: Path,
    positions: Tensor,  # (n, 3) Å
    rotations: Tensor,  # (n, 3, 3)
) -> None:
    """Write the particles of a set as a coordinate file (``coord_file_out``), nm and degrees."""
    columns = torch.cat([angstrom_to_nm(positions), rad_to_deg(_euler(rotations))], -1)
    _write(path, columns, "x y z (nm) phi theta psi (degrees)")


def write_geometry(path: Path, tilts: TiltGeometry) -> None:
    """Write the angles of the tilts without errors as a geometry file (``geom_file_out``)."""
    _write(path, tilts.data_deg, "psi theta phi (degrees)")


def write_errors(path: Path, tilts: TiltGeometry) -> None:
    """Write the errors of the tilts as an error file (``error_file_out``)."""
    comment = "rotation, axis and angle of the tilt error (degrees), shift x y (nm)"
    _write(path, tilts.errors, comment)


def write_doses(
    path: Path,
    doses: Tensor,  # (n_tilts,) electrons/Å²
) -> None:
    """Write the dose of each image as a dose file (``dose_file_out``), in electrons/nm²."""
    _write(path, doses[:, None] * ANGSTROM_PER_NM**2, "dose (electrons/nm^2)")


def write_defoci(
    path: Path,
    defoci: Tensor,  # (n_tilts,) Å
) -> None:
    """Write the defocus of each image as a defocus file (``defocus_file_out``), in µm."""
    _write(path, angstrom_to_um(defoci)[:, None], "defocus (um), underfocus positive")


def _write(path: Path, columns: Tensor, comment: str) -> None:
    """Write a text matrix, in the place of one that is there."""
    write_text_matrix(path, columns, [comment], overwrite=True)


def _euler(rotations: Tensor) -> Tensor:  # (n, 3) rad
    """Angles φ, θ, ψ with R = Rz(ψ) Rx(θ) Rz(φ), exact also where θ is 0 or π."""
    first, second, third = rotations.unbind(-2)
    phi = torch.atan2(third[:, 0], third[:, 1])
    theta = torch.atan2(torch.hypot(third[:, 0], third[:, 1]), third[:, 2])
    # R Rz(-φ) takes x to (cos ψ, sin ψ, 0).
    cos, sin = torch.cos(phi), torch.sin(phi)
    x, y = (row[:, 0] * cos - row[:, 1] * sin for row in (first, second))
    return torch.stack([phi, theta, torch.atan2(y, x)], -1)
