"""Pose: where a structure is in the specimen and how it is turned."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.pose import rotate, rotation_from_vector
from difftem.modules.quantity import check_learnable, register_quantity


class Pose(nn.Module):
    r"""Turn and move atom coordinates; `Stage` tilts what comes out.

    .. math:: x' = R(w)\, x + s

    Parameters
    ----------
    rotation_vector : Tensor
        Axis times angle w in rad, shape ``(..., 3)``.
    shift : Tensor
        s in Å, shape ``(..., 3)``.
    learnable : collection of str
        Any of ``rotation_vector``, ``shift``.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.modules import Pose
    >>> pose = Pose(rotation_vector=(0.0, 0.0, math.pi / 2), shift=(0.0, 0.0, 5.0))
    >>> [round(each) for each in pose(torch.tensor([[1.0, 0.0, 0.0]]))[0].tolist()]  # x goes to y
    [0, 1, 5]
    """

    rotation_vector: Tensor
    shift: Tensor

    def __init__(
        self,
        rotation_vector: Tensor | tuple[float, float, float] = (0.0, 0.0, 0.0),
        shift: Tensor | tuple[float, float, float] = (0.0, 0.0, 0.0),
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("rotation_vector", "shift"))
        register_quantity(self, "rotation_vector", torch.as_tensor(rotation_vector), learnable)
        register_quantity(self, "shift", torch.as_tensor(shift), learnable)

    def forward(
        self,
        positions: Tensor,  # (..., n_atoms, 3) Å
    ) -> Tensor:  # (..., n_atoms, 3) Å
        """Coordinates in the specimen's frame."""
        turned = rotate(positions, rotation_from_vector(self.rotation_vector).to(positions))
        return turned + self.shift.to(positions)[..., None, :]
