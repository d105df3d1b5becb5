"""Stage: how the specimen is turned and moved in each micrograph of a series."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.pose import rotate, rotation_from_vector, tilt_rotation
from difftem.modules.quantity import check_learnable, register_quantity
from difftem.units import deg_to_rad


class Stage(nn.Module):
    r"""Tilt geometry of a series, with its errors.

    .. math:: S_t = R_z(\gamma_t)\, R_\mathrm{axis}(\theta_t)\, B_t

    Parameters
    ----------
    tilt_deg : float or Tensor
        Tilts θ in degrees: a number, or a series of shape ``(n_tilts,)``.
    tilt_axis_deg : float or Tensor
        Direction of the tilt axis in the image, counter-clockwise from x; 90 is the y axis.
    shift : Tensor, optional
        Of each image in Å as x, y, shape ``(n_tilts, 2)``: the stage's error.
    in_plane_deg : float or Tensor
        Rotation γ of each image in degrees, counter-clockwise.
    base : Tensor, optional
        Rotations B of the specimen before the tilt, shape ``(n_tilts, 3, 3)``.
    turn_positions : bool
        Tilt the specimen; otherwise each particle turns where it is, as if every micrograph showed
        other particles ("single particle").
    learnable : collection of str
        Any of ``tilt_deg``, ``tilt_axis_deg``, ``shift``, ``in_plane_deg``.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Stage
    >>> series = Stage(tilt_deg=torch.linspace(-60, 60, 41))  # about the y axis
    >>> series.is_series, len(series.tilt_deg)
    (True, 41)
    """

    tilt_deg: Tensor
    tilt_axis_deg: Tensor
    shift: Tensor
    in_plane_deg: Tensor
    base: Tensor

    def __init__(
        self,
        tilt_deg: float | Tensor = 0.0,
        tilt_axis_deg: float | Tensor = 90.0,
        shift: Tensor | None = None,
        in_plane_deg: float | Tensor = 0.0,
        base: Tensor | None = None,
        *,
        turn_positions: bool = True,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("tilt_deg", "tilt_axis_deg", "shift", "in_plane_deg"))
        tilts = torch.atleast_1d(torch.as_tensor(tilt_deg, dtype=torch.float64))
        n = len(tilts)
        shift = torch.zeros(n, 2, dtype=torch.float64) if shift is None else shift
        base = torch.eye(3, dtype=torch.float64).expand(n, 3, 3) if base is None else base
        for name, value, shape in (("shift", shift, (n, 2)), ("base", base, (n, 3, 3))):
            if tuple(value.shape) != shape:
                raise ValueError(f"{name} must be {shape} for {n} tilts, got {tuple(value.shape)}")
        self.is_series = torch.as_tensor(tilt_deg).ndim > 0
        in_plane = torch.as_tensor(in_plane_deg, dtype=torch.float64).expand(n)
        register_quantity(self, "tilt_deg", tilts, learnable)
        register_quantity(self, "tilt_axis_deg", tilt_axis_deg, learnable)
        register_quantity(self, "shift", shift, learnable)
        register_quantity(self, "in_plane_deg", in_plane.clone(), learnable)
        self.register_buffer("base", base.clone())
        self.turn_positions = turn_positions

    def __len__(self) -> int:
        return len(self.tilt_deg)

    def rotation(
        self,
        tilt: int | None = None,
    ) -> Tensor:  # (..., 3, 3)
        """Rotation S from the specimen's to the microscope's frame.

        Parameters
        ----------
        tilt : int, optional
            Index of a micrograph. Default: that of a single one, or of all of a series.

        Returns
        -------
        Tensor
            Shape ``(3, 3)``, or ``(n_tilts, 3, 3)`` for a series without an index.
        """
        which = self._which(tilt)
        axis = deg_to_rad(self.tilt_axis_deg.double())
        turn = deg_to_rad(self.in_plane_deg[which].double())
        about_z = torch.nn.functional.pad(turn[..., None], (2, 0))
        tilted = tilt_rotation(deg_to_rad(self.tilt_deg[which].double()), axis)
        return rotation_from_vector(about_z) @ tilted @ self.base[which].to(tilted)

    def forward(
        self,
        positions: Tensor,  # (..., n_atoms, 3) Å
        tilt: int | None = None,
    ) -> Tensor:  # (..., n_atoms, 3) Å
        """Coordinates in the microscope's frame; the tilts of a series are the leading axis."""
        shift = torch.nn.functional.pad(self.shift[self._which(tilt)], (0, 1)).to(positions)
        return rotate(positions, self.rotation(tilt).to(positions)) + shift[..., None, :]

    def _which(self, tilt: int | None) -> int | slice:
        """Index of one micrograph, or all of a series."""
        if tilt is None:
            return slice(None) if self.is_series else 0
        return tilt
