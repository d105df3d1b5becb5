"""Ice of even thickness around the particles, as it darkens the image."""

import torch
from torch import Tensor, nn

from difftem.modules.quantity import Positive, register_quantity
from difftem.units import nm_to_angstrom


class IceLayer(nn.Module):
    r"""Loss of intensity in a plane layer of ice under any stage rotation.

    .. math:: I' = I\, e^{-d / (\Lambda\, |S_{zz}|)}

    `IceSlab` does the same to a wave, with its mean phase.

    Parameters
    ----------
    thickness_nm : float or Tensor
        d in nm.
    mean_free_path_nm : float or Tensor
        Λ in nm: path over which the intensity in the (zero-loss) image falls by 1/e.
    learnable : collection of str
        Any of ``thickness_nm``, ``mean_free_path_nm``.
    """

    thickness_nm: Tensor
    mean_free_path_nm: Tensor

    def __init__(
        self,
        thickness_nm: float | Tensor,
        mean_free_path_nm: float | Tensor = 300.0,
        learnable: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        if not bool((torch.as_tensor(mean_free_path_nm) > 0).all()):
            raise ValueError(f"mean_free_path_nm must be positive, got {mean_free_path_nm}")
        register_quantity(self, "thickness_nm", thickness_nm, learnable, Positive())
        register_quantity(self, "mean_free_path_nm", mean_free_path_nm, learnable, Positive())

    def forward(
        self,
        intensity: Tensor,  # (..., y, x)
        rotation: Tensor,  # (..., 3, 3)
        energy: Tensor | None = None,  # () eV
        defocus: Tensor | None = None,  # (...) Å
    ) -> Tensor:  # (..., y, x)
        """Image behind the ice; energy and defocus play no part, other than in `IceFilm`."""
        along = rotation[..., 2, 2].abs()
        if bool((along < 1e-3).any()):
            raise ValueError("a layer of ice must be tilted by less than 90°")
        path = nm_to_angstrom(self.thickness_nm).to(along) / along
        loss = torch.exp(-path / nm_to_angstrom(self.mean_free_path_nm).to(along))
        return intensity * loss.to(intensity)[..., None, None]
