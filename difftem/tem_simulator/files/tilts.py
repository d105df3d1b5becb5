"""How the sample lies in each image: tilts, their errors, and particles turned with them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_euler, rotation_from_vector
from difftem.tem_simulator.files.microscope import Geometry
from difftem.tem_simulator.files.rows import read_rows
from difftem.tem_simulator.files.rules import needed
from difftem.units import deg_to_rad, nm_to_angstrom


@dataclass(frozen=True, eq=False)
class TiltGeometry:
    """Orientation of the sample in each image.

    Attributes
    ----------
    rotations : Tensor
        S, from sample to microscope, x' = S x, shape ``(n_tilts, 3, 3)``, float64.
    shifts : Tensor
        In the image plane (x, y), Å, shape ``(n_tilts, 2)``.
    data_deg : Tensor
        Angles of the rotations about z, x and z in the order in which they act, degrees, shape
        ``(n_tilts, 3)``; the columns of a geometry file.
    errors : Tensor
        In-plane rotation, direction of the axis of the tilt error, tilt error (degrees), shift
        x y (nm), shape ``(n_tilts, 5)``; the columns of an error file.
    """

    rotations: Tensor
    shifts: Tensor
    data_deg: Tensor
    errors: Tensor

    @property
    def angles_deg(self) -> Tensor:  # (n_tilts,)
        """Tilt angles in degrees, without errors."""
        return self.data_deg[:, 1]


def tilt_geometry(geometry: Geometry, generator: torch.Generator | None = None) -> TiltGeometry:
    r"""Orientations of the sample, generated or from a file, with their errors.

    .. math:: S = R_z(e_0) \, R_{(\cos e_1, \sin e_1, 0)}(e_2) \, R_z(d_2) R_x(d_1) R_z(d_0)

    A generated tilt θ has d = (−tilt_axis, θ, tilt_axis): a rotation by θ about the axis in the
    image plane at tilt_axis from x. Random errors have e₀ ~ N(0, align_err_rot), e₁ uniform from
    0 to 180°, e₂ ~ N(0, tilt_err), e₃ and e₄ ~ N(0, align_err_tr / √2).

    Parameters
    ----------
    geometry : Geometry
        The component.
    generator : torch.Generator, optional
        Source of random errors.

    Returns
    -------
    TiltGeometry
        Of every image.

    Raises
    ------
    InputError
        If a file is no text matrix or has too few rows or columns.

    References
    ----------
    Rullgård, Öfverstedt, Masich, Daneholt & Öktem, J. Microsc. 243 (2011) 234.
    """
    data = _data(geometry)
    errors = _errors(geometry, len(data), generator)
    in_plane, axis, tilt_error = deg_to_rad(errors[:, :3]).unbind(-1)
    zero = torch.zeros_like(axis)
    direction = torch.stack([torch.cos(axis), torch.sin(axis), zero], -1)
    about_z = rotation_from_vector(torch.stack([zero, zero, in_plane], -1))
    misalignment = about_z @ rotation_from_vector(tilt_error[:, None] * direction)
    rotations = misalignment @ rotation_from_euler(deg_to_rad(data))
    return TiltGeometry(rotations, nm_to_angstrom(errors[:, 3:]), data, errors)


def pose_particles(
    tilts: TiltGeometry,
    positions: Tensor,  # (n, 3) Å
    rotations: Tensor,  # (n, 3, 3)
    tilt_mode: str = "tiltseries",
) -> tuple[Tensor, Tensor]:  # (n_tilts, n, 3) Å, (n_tilts, n, 3, 3)
    """Where particles of the sample are in each image, in the frame of the microscope.

    Parameters
    ----------
    tilts : TiltGeometry
        Orientations of the sample.
    positions : Tensor
        In the sample, Å, shape ``(n, 3)``.
    rotations : Tensor
        In the sample, shape ``(n, 3, 3)``.
    tilt_mode : str
        ``tiltseries``: the sample turns; ``single_particle``: every particle turns in its place.

    Returns
    -------
    positions : Tensor
        Å, shape ``(n_tilts, n, 3)``.
    rotations : Tensor
        Shape ``(n_tilts, n, 3, 3)``.
    """
    if tilt_mode not in ("tiltseries", "single_particle"):
        raise ValueError(f"tilt_mode must be tiltseries or single_particle, got {tilt_mode!r}")
    shifts = torch.nn.functional.pad(tilts.shifts, (0, 1))[:, None]
    turned = positions @ tilts.rotations.mT if tilt_mode == "tiltseries" else positions
    return turned + shifts, tilts.rotations[:, None] @ rotations


def _data(geometry: Geometry) -> Tensor:  # (n_tilts, 3) degrees
    """Angles of the tilts without errors."""
    if not geometry.gen_tilt_data:
        return read_rows(needed(geometry, "geom_file_in"), 3, geometry.ntilts)
    n_tilts, start, step = needed(geometry, "ntilts", "theta_start_deg", "theta_incr_deg")
    theta = start + step * torch.arange(n_tilts, dtype=torch.float64)
    axis = torch.full_like(theta, geometry.tilt_axis_deg)
    return torch.stack([0 - axis, theta, axis], -1)  # 0 - 0 has no sign


def _errors(
    geometry: Geometry, n_tilts: int, generator: torch.Generator | None
) -> Tensor:  # (n_tilts, 5) degrees, nm
    """Errors of the tilts."""
    if geometry.geom_errors == "file":
        return read_rows(needed(geometry, "error_file_in"), 5, n_tilts)
    if geometry.geom_errors == "none":
        return torch.zeros(n_tilts, 5, dtype=torch.float64)
    rotation, tilt, shift_x, shift_y = torch.randn(
        4, n_tilts, generator=generator, dtype=torch.float64
    )
    axis = 180 * torch.rand(n_tilts, generator=generator, dtype=torch.float64)
    shift = geometry.align_err_tr_nm / math.sqrt(2)
    columns = (
        geometry.align_err_rot_deg * rotation,
        axis,
        geometry.tilt_err_deg * tilt,
        shift * shift_x,
        shift * shift_y,
    )
    return torch.stack(columns, -1)
