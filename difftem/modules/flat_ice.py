"""Flat ice: a layer of vitreous ice of even thickness around the specimen."""

from collections.abc import Collection
from typing import Literal

import torch
from torch import Tensor, nn

from difftem.functional.solvent import (
    ICE_DENSITY_G_PER_CM3,
    absorption_from_mean_free_path,
    ice_absorption_potential,
    ice_mean_free_path,
    ice_molecules_per_a3,
    ice_potential,
    slab_transmission,
)
from difftem.modules.beam import Beam
from difftem.modules.quantity import Positive, check_learnable, register_quantity
from difftem.units import nm_to_angstrom


class FlatIce(nn.Module):
    r"""Mean inner potential and absorption of a plane layer of ice.

    The wave is multiplied by :math:`e^{i \sigma (V_0 + i V_i) d / |S_{zz}|}`: a constant phase,
    and a loss of intensity that grows with the tilt of the stage's rotation S.

    Parameters
    ----------
    thickness_nm : float or Tensor
        Layer thickness d in nm.
    mean_free_path_nm : float or Tensor or "measured" or None
        Path over which the intensity in the (zero-loss) image falls by 1/e, in nm. "measured" is
        300 nm at 300 kV and follows the beam's voltage (`ice_mean_free_path`). None takes
        TEM-simulator's value, where every scattered electron is lost (Lenz cross sections,
        101 nm at 300 kV).
    density_g_per_cm3 : float
        Density in g/cm³, which the mean inner potential follows.
    learnable : collection of str
        Any of ``thickness_nm``, ``mean_free_path_nm``.

    References
    ----------
    Grimm, Typke, Bärmann & Baumeister, Ultramicroscopy 63 (1996) 169; Rullgård et al.,
    J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> from difftem.modules import Detector, Dose, FlatIce, Lens, Multislice
    >>> from difftem.modules import ParticleSpecimen, Simulator
    >>> empty = ParticleSpecimen({}, [], (8, 8), pixel_size=2.0, slice_thickness=10.0)
    >>> stages = Multislice(2.0, 10.0), Lens(2.0), Dose(30.0, 2.0), Detector()
    >>> ice = FlatIce(thickness_nm=30.0)  # a tenth of the mean free path at 300 kV
    >>> round(Simulator(empty, *stages, ice=ice).intensity().mean().item(), 3)  # exp(-0.1)
    0.905
    """

    acts_on: Literal["wave", "image"] = "wave"

    thickness_nm: Tensor
    mean_free_path_nm: Tensor

    def __init__(
        self,
        thickness_nm: float | Tensor,
        mean_free_path_nm: float | Tensor | Literal["measured"] | None = "measured",
        learnable: Collection[str] = (),
        *,
        density_g_per_cm3: float = ICE_DENSITY_G_PER_CM3,
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("thickness_nm", "mean_free_path_nm"))
        register_quantity(self, "thickness_nm", thickness_nm, learnable, Positive())
        self.density_g_per_cm3 = density_g_per_cm3
        self.absorption: Literal["path", "measured", "lenz"] = "path"
        if mean_free_path_nm is None or isinstance(mean_free_path_nm, str):
            self.absorption = "lenz" if mean_free_path_nm is None else "measured"
            check_path(mean_free_path_nm, learnable)
        else:
            if not bool((torch.as_tensor(mean_free_path_nm) > 0).all()):
                raise ValueError(f"mean_free_path_nm must be positive, got {mean_free_path_nm}")
            register_quantity(self, "mean_free_path_nm", mean_free_path_nm, learnable, Positive())

    def forward(
        self,
        wave: Tensor,  # (..., y, x) complex, or real
        beam: Beam,
        rotation: Tensor,  # (..., 3, 3)
        defocus: Tensor | None = None,  # (...) Å
    ) -> Tensor:  # (..., y, x)
        """Wave, or intensity, behind specimen and ice.

        Parameters
        ----------
        wave : Tensor
            Exit wave of the specimen; a real one is taken for an intensity.
        beam : Beam
            Gives σ.
        rotation : Tensor
            Of the stage, of the batch shape of `wave`.
        defocus : Tensor, optional
            Plays no part, other than in `HoleyIce`.

        Returns
        -------
        Tensor
            Shape of `wave`.
        """
        sigma = beam.sigma
        if self.absorption == "lenz":
            absorption = ice_absorption_potential(beam.energy)
        elif self.absorption == "measured":
            absorption = absorption_from_mean_free_path(ice_mean_free_path(beam.energy), sigma)
        else:
            path = nm_to_angstrom(self.mean_free_path_nm)
            absorption = absorption_from_mean_free_path(path, sigma)
        thickness = nm_to_angstrom(self.thickness_nm)
        potential = torch.tensor(ice_potential(ice_molecules_per_a3(self.density_g_per_cm3))).to(
            thickness
        )
        cosine = rotation[..., 2, 2].abs()
        factor = slab_transmission(thickness, cosine, potential, absorption, sigma)
        if not wave.is_complex():
            factor = factor.abs() ** 2
        return wave * factor[..., None, None].to(wave.dtype)


def check_path(word: str | None, learnable: Collection[str]) -> None:
    """Refuse a word that is no mean free path, and to learn one that is computed."""
    if word is not None and word != "measured":
        raise ValueError(f'mean_free_path_nm must be a number, "measured" or None, got {word!r}')
    if "mean_free_path_nm" in learnable:
        raise ValueError("mean_free_path_nm can be learned from a number in nm only")
