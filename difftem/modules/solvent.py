"""Solvent: a slab of vitreous ice around the specimen."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.solvent import (
    absorption_from_mean_free_path,
    ice_absorption_potential,
    ice_potential,
    slab_transmission,
)
from difftem.modules.quantity import Positive, check_learnable, register_quantity
from difftem.units import nm_to_angstrom


class IceSlab(nn.Module):
    r"""Mean inner potential and absorption of a plane ice layer.

    The wave is multiplied by :math:`e^{i \sigma (V_0 + i V_i) d / \cos\theta}`: a constant phase,
    and a loss of intensity that grows with the tilt.

    Parameters
    ----------
    thickness_nm : float or Tensor
        Layer thickness d in nm.
    mean_free_path_nm : float or Tensor or None
        Path over which the intensity in the (zero-loss) image falls by 1/e, in nm: 200-400
        are measured at 120-300 kV. None takes TEM-simulator's value, where every scattered
        electron is lost (Lenz cross sections, 101 nm at 300 kV).
    learnable : collection of str
        Any of ``thickness_nm``, ``mean_free_path_nm``.

    References
    ----------
    Grimm, Typke, Bärmann & Baumeister, Ultramicroscopy 63 (1996) 169; Rullgård et al.,
    J. Microscopy 243 (2011) 234.
    """

    thickness_nm: Tensor
    mean_free_path_nm: Tensor

    def __init__(
        self,
        thickness_nm: float | Tensor,
        mean_free_path_nm: float | Tensor | None = 300.0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("thickness_nm", "mean_free_path_nm"))
        register_quantity(self, "thickness_nm", thickness_nm, learnable, Positive())
        self.lenz = mean_free_path_nm is None
        if mean_free_path_nm is not None:
            if not bool((torch.as_tensor(mean_free_path_nm) > 0).all()):
                raise ValueError(f"mean_free_path_nm must be positive, got {mean_free_path_nm}")
            register_quantity(self, "mean_free_path_nm", mean_free_path_nm, learnable, Positive())

    def forward(
        self,
        wave: Tensor,  # (..., y, x) complex
        energy: Tensor,  # () eV
        sigma: Tensor,  # () rad / (V Å)
        tilt: Tensor,  # (...) rad
    ) -> Tensor:  # (..., y, x) complex
        """Exit wave behind specimen and ice.

        Parameters
        ----------
        wave : Tensor
            Exit wave of the specimen.
        energy, sigma : Tensor
            Of the beam.
        tilt : Tensor
            Stage tilt in rad, of the batch shape of `wave`.

        Returns
        -------
        Tensor
            Shape of `wave`.
        """
        if self.lenz:
            absorption = ice_absorption_potential(energy)
        else:
            path = nm_to_angstrom(self.mean_free_path_nm)
            absorption = absorption_from_mean_free_path(path, sigma)
        thickness = nm_to_angstrom(self.thickness_nm)
        potential = torch.tensor(ice_potential()).to(thickness)
        factor = slab_transmission(thickness, tilt, potential, absorption, sigma)
        return wave * factor[..., None, None].to(wave.dtype)
