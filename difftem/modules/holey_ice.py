"""Holey ice: ice in a hole of a support film."""

import math
from collections.abc import Collection
from typing import Literal

import torch
from torch import Tensor, nn

from difftem.functional.film import attenuate, carbon_per_ice, film_paths, scatter_in_film
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.inelastic import WATER, ice_attenuation
from difftem.functional.solvent import ice_mean_free_path
from difftem.modules.beam import Beam
from difftem.modules.flat_ice import check_path
from difftem.modules.inelastic import ApertureTransfer
from difftem.modules.quantity import Positive, check_learnable, quantity, register_quantity
from difftem.units import nm_to_angstrom

_LENGTHS = ("hole_diameter_nm", "center_thickness_nm", "edge_thickness_nm")


class HoleyIce(nn.Module):
    """Ice of parabolic surfaces in a round hole of a carbon film; it darkens and blurs the image.

    Parameters
    ----------
    pixel_size : float
        Of the image, in Å.
    hole_diameter_nm : float or Tensor
        Of the hole, in nm.
    center_thickness_nm, edge_thickness_nm : float or Tensor
        Of the ice in the middle and at the edge of the hole, in nm; the second is also that of
        the support.
    offset_nm : tuple of float or Tensor
        x, y of the hole's centre in the specimen, in nm.
    mean_free_path_nm : float or Tensor or "measured" or None
        Path in ice over which the intensity falls by 1/e, in nm. "measured" is 300 nm at 300 kV
        and follows the beam's voltage (`ice_mean_free_path`). None takes TEM-simulator's model:
        scattered electrons that pass the aperture arrive, blurred by the defocus.
    aperture_mrad : float, optional
        Semi-angle of the objective aperture; that model needs it.
    angular_step_mrad : float, optional
        As in `difftem.functional.inelastic.angular_transfer`.
    between_pixels : bool
        Put the tilt axis in the middle of the field, at pixel (n - 1) / 2 as TEM-simulator does,
        instead of on pixel n // 2.
    learnable : collection of str
        Any of the lengths' names.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> from difftem.modules import Detector, Dose, HoleyIce, Lens, Multislice
    >>> from difftem.modules import ParticleSpecimen, Simulator
    >>> empty = ParticleSpecimen({}, [], (64, 64), pixel_size=40.0, slice_thickness=10.0)
    >>> stages = Multislice(40.0, 10.0), Lens(40.0), Dose(30.0, 40.0), Detector()
    >>> ice = HoleyIce(40.0, hole_diameter_nm=200.0, center_thickness_nm=30.0)
    >>> image = Simulator(empty, *stages, ice=ice).intensity()
    >>> (image[32, 32] > image[32, 0]).item()  # brighter in the hole than on the support
    True
    """

    acts_on: Literal["wave", "image"] = "image"

    offset_nm: Tensor

    def __init__(
        self,
        pixel_size: float,
        hole_diameter_nm: float | Tensor = 1200.0,
        center_thickness_nm: float | Tensor = 50.0,
        edge_thickness_nm: float | Tensor = 100.0,
        offset_nm: tuple[float, float] | Tensor = (0.0, 0.0),
        mean_free_path_nm: float | Tensor | Literal["measured"] | None = "measured",
        aperture_mrad: float | None = None,
        angular_step_mrad: float | None = None,
        *,
        between_pixels: bool = False,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, (*_LENGTHS, "offset_nm", "mean_free_path_nm"))
        given = locals()
        for name in _LENGTHS:
            if not bool((torch.as_tensor(given[name]) > 0).all()):
                raise ValueError(f"{name} must be positive, got {given[name]}")
            register_quantity(self, name, given[name], learnable, Positive())
        register_quantity(self, "offset_nm", torch.as_tensor(offset_nm), learnable)
        self.transfer: ApertureTransfer | None = None
        self.measured = isinstance(mean_free_path_nm, str)
        if isinstance(mean_free_path_nm, str):
            check_path(mean_free_path_nm, learnable)
        elif mean_free_path_nm is not None:
            if not bool((torch.as_tensor(mean_free_path_nm) > 0).all()):
                raise ValueError(f"mean_free_path_nm must be positive, got {mean_free_path_nm}")
            register_quantity(self, "mean_free_path_nm", mean_free_path_nm, learnable, Positive())
        elif aperture_mrad is None:
            raise ValueError("a film without mean_free_path_nm needs aperture_mrad")
        else:
            self.transfer = ApertureTransfer(WATER, aperture_mrad, angular_step_mrad)
        self.pixel_size = pixel_size
        self.between_pixels = between_pixels

    def paths(
        self,
        shape: tuple[int, int],
        rotation: Tensor,  # (..., 3, 3)
        dtype: torch.dtype | None = None,
        pixel_size: float | None = None,  # Å
    ) -> tuple[Tensor, Tensor]:  # 2 x (..., ny, nx) Å
        """Path lengths in ice and support of every pixel's ray.

        Parameters
        ----------
        shape : tuple of int
            ``(ny, nx)`` in pixels.
        rotation : Tensor
            Of the stage, from specimen to microscope.
        dtype : torch.dtype, optional
            Of the result. Default: that of `rotation`.
        pixel_size : float, optional
            In Å, of waves that are sampled otherwise. Default: that of the image.

        Returns
        -------
        tuple of Tensor
            Lengths in Å.
        """
        axes = []
        for n in shape:
            middle = (n - 1) / 2 if self.between_pixels else n // 2
            axes.append(torch.arange(n, dtype=torch.float64, device=rotation.device) - middle)
        y, x = (axis * (pixel_size or self.pixel_size) for axis in axes)
        diameter, center, edge = (nm_to_angstrom(quantity(self, n).double()) for n in _LENGTHS)
        offset = nm_to_angstrom(self.offset_nm.double())
        paths = film_paths(x, y, rotation.double(), diameter / 2, center, edge, offset)
        return paths[0].to(dtype or rotation.dtype), paths[1].to(dtype or rotation.dtype)

    def forward(
        self,
        intensity: Tensor,  # (..., y, x)
        beam: Beam,
        rotation: Tensor,  # (..., 3, 3)
        defocus: Tensor | None = None,  # (...) Å
    ) -> Tensor:  # (..., y, x)
        """Image behind the film.

        Parameters
        ----------
        intensity : Tensor
            Image of the specimen.
        beam : Beam
            Gives the energy.
        rotation : Tensor
            Of the stage, from specimen to microscope.
        defocus : Tensor, optional
            Of the specimen's middle, in Å; TEM-simulator's model needs it.

        Returns
        -------
        Tensor
            Batch axes of image, rotation and defocus are broadcast.
        """
        shape, dtype = (intensity.shape[-2], intensity.shape[-1]), intensity.dtype
        ice, support = self.paths(shape, rotation, dtype)
        ratio = carbon_per_ice(beam.energy).to(dtype)
        if self.transfer is None:
            if self.measured:
                free_path = ice_mean_free_path(beam.energy)
            else:
                free_path = nm_to_angstrom(quantity(self, "mean_free_path_nm"))
            return attenuate(intensity, ice + ratio * support, free_path.to(dtype))
        if defocus is None:
            raise ValueError("a film without mean_free_path_nm needs the defocus")
        distance = defocus.double().abs()
        transfer = self.transfer(beam.energy, self.pixel_size, float(distance.detach().max()))
        q = radius(frequency_grid(shape, self.pixel_size, half=True, device=intensity.device))
        reach = 2 * math.pi * q * distance[..., None, None]
        attenuation = ice_attenuation(transfer, reach).to(dtype)
        return scatter_in_film(intensity, ice, support, attenuation, ratio)
