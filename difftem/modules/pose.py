"""Pose: where the specimen is and how it is turned."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.pose import rotate, rotation_from_vector, tilt_rotation
from difftem.modules.quantity import check_learnable, register_quantity
from difftem.units import deg_to_rad


class Pose(nn.Module):
    r"""Turn and move atom coordinates, then tilt the stage.

    .. math:: x' = R_\mathrm{tilt} (R(w)\, x + s)

    Parameters
    ----------
    rotation_vector : Tensor
        Axis times angle w in rad, shape ``(..., 3)``.
    shift : Tensor
        s in Å, shape ``(..., 3)``.
    tilt_deg : float or Tensor
        Stage tilt in degrees; shape ``(n_tilts,)`` makes a tilt series along a batch axis.
    tilt_axis_deg : float
        Direction of the tilt axis in the image, counter-clockwise from x; 90 is the y axis.
    learnable : collection of str
        Any of ``rotation_vector``, ``shift``, ``tilt_deg``, ``tilt_axis_deg``.
    """

    rotation_vector: Tensor
    shift: Tensor
    tilt_deg: Tensor
    tilt_axis_deg: Tensor

    def __init__(
        self,
        rotation_vector: Tensor | tuple[float, float, float] = (0.0, 0.0, 0.0),
        shift: Tensor | tuple[float, float, float] = (0.0, 0.0, 0.0),
        tilt_deg: float | Tensor = 0.0,
        tilt_axis_deg: float | Tensor = 90.0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("rotation_vector", "shift", "tilt_deg", "tilt_axis_deg"))
        register_quantity(self, "rotation_vector", torch.as_tensor(rotation_vector), learnable)
        register_quantity(self, "shift", torch.as_tensor(shift), learnable)
        register_quantity(self, "tilt_deg", tilt_deg, learnable)
        register_quantity(self, "tilt_axis_deg", tilt_axis_deg, learnable)

    @property
    def tilt(self) -> Tensor:  # (...) rad
        """Stage tilt in rad."""
        return deg_to_rad(self.tilt_deg)

    def forward(
        self,
        positions: Tensor,  # (..., n_atoms, 3) Å
    ) -> Tensor:  # (..., n_atoms, 3) Å
        """Coordinates in the microscope's frame; the tilts are the leading batch axis."""
        turned = rotate(positions, rotation_from_vector(self.rotation_vector).to(positions))
        turned = turned + self.shift.to(positions)[..., None, :]
        stage = tilt_rotation(self.tilt, deg_to_rad(self.tilt_axis_deg)).to(positions)
        return rotate(turned, stage)
