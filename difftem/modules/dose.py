"""Dose."""

from collections.abc import Collection

from torch import Tensor, nn

from difftem.functional.dose import expected_counts
from difftem.modules.quantity import Positive, check_learnable, register_quantity


class Dose(nn.Module):
    """Expected electrons per pixel.

    Parameters
    ----------
    dose_e_per_a2 : float or Tensor
        Fluence in e/Å²; a tensor of shape ``(n, 1, ...)`` makes a dose series along a batch axis.
    pixel_size : float
        In Å at the specimen.
    learnable : collection of str
        ``dose_e_per_a2``.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Dose
    >>> Dose(30.0, pixel_size=2.0)(torch.ones(2, 2))  # 30 e/Å² on 4 Å²
    tensor([[120., 120.],
            [120., 120.]])
    """

    dose_e_per_a2: Tensor

    def __init__(
        self,
        dose_e_per_a2: float | Tensor,
        pixel_size: float,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("dose_e_per_a2",))
        register_quantity(self, "dose_e_per_a2", dose_e_per_a2, learnable, Positive())
        self.pixel_size = pixel_size

    def forward(
        self,
        intensity: Tensor,  # (..., y, x)
    ) -> Tensor:  # (..., y, x) e/pixel
        """Turn a relative intensity into expected counts."""
        return expected_counts(intensity, self.dose_e_per_a2.to(intensity), self.pixel_size)
