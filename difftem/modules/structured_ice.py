"""Structured ice: a specimen whose ice has molecules, as a random field in every slice."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from difftem.constants.amorphous import WATER_MOTION
from difftem.functional.carbon_film import carbon_power
from difftem.functional.grid import band_limit_mask
from difftem.functional.random_field import on_half_grid, random_field, seeded, white_noise
from difftem.functional.solvent import ICE_DENSITY_G_PER_CM3
from difftem.functional.structured_ice import ice_power
from difftem.modules.beam import Beam
from difftem.modules.flat_ice import FlatIce
from difftem.modules.holey_ice import HoleyIce
from difftem.modules.quantity import Positive, check_learnable, quantity, register_quantity
from difftem.modules.specimen import Specimen, View
from difftem.modules.stage import Stage
from difftem.units import nm_to_angstrom

DEEP = 0.1  # rad: below this Fresnel phase across a slice, its depth is left out


class AmorphousLayer(NamedTuple):
    """Ice or carbon, with its middle in the plane of the specimen."""

    path: Tensor  # () or (y, x) Å, along the beam
    density: Tensor | None  # () g/cm³, that of ice
    powers: tuple[Tensor, ...]  # each (y, x // 2 + 1) V² Å³, of 1 Å: real and imaginary part


class StructuredIce(nn.Module):
    r"""Put a specimen into ice of molecules: random fields, added to its slices.

    In a slice of thickness Δ at the height z, ice of power p(q) for every Å adds

    .. math:: v = \sqrt{L_s}\; F^{-1}\left[\sqrt{p(q)} \left(
              \sqrt{\tfrac{1 + c}{2}}\, \hat w_1 + i \sqrt{\tfrac{1 - c}{2}}\, \hat w_2
              \right)\right], \qquad c = \frac{\sin \pi\lambda q^2 \Delta}{\pi\lambda q^2 \Delta}

    with white noise w and the path :math:`L_s` in the slice that nothing displaces. c accounts for
    the depth of a slice to first order in the potential, exactly in the mean; thin slices have
    c = 1. Slices are independent, also where they are thinner than the ice's correlations: their
    sum has the spectrum of the layer, each of them as its share. Slices of ice alone are added
    above and below the specimen. Tilts of a series see other ice, which holds for details finer
    than thickness times tilt step.

    Parameters
    ----------
    specimen : Specimen
        In the ice.
    ice : FlatIce or HoleyIce
        Whose thickness counts, and carbon film if it has one; also the `Simulator`'s own.
    density_g_per_cm3 : float or Tensor
        Of the ice, in g/cm³.
    exposure : float
        Of an image in e/Å², during which the beam moves the molecules.
    motion : float
        Their mean squared displacement in Å² for every e/Å² at 300 kV, as in
        `difftem.functional.structured_ice.beam_blurring`; 0 freezes them.
    displaced : Specimen, optional
        Whose slices are lengths in Å that are free of ice. Default: none are.
    band_limit, taper : float
        As of the specimen, in `difftem.functional.grid.band_limit_mask`.
    seed : int
        Of the random numbers.
    learnable : collection of str
        ``density_g_per_cm3``; the thickness is learned in `ice`.

    Raises
    ------
    ValueError
        If the displaced lengths have another sampling than the specimen.

    Examples
    --------
    >>> from difftem.modules import Beam, FlatIce, ParticleSpecimen, Stage, StructuredIce
    >>> empty = ParticleSpecimen({}, [], (64, 64), pixel_size=1.0, slice_thickness=50.0)
    >>> ice = StructuredIce(empty, FlatIce(thickness_nm=20.0), seed=1)
    >>> projection = sum(ice.view(Stage(), Beam()).slices)  # V Å, of water that stands somewhere
    >>> projection.real.std().item() > 1.0
    True
    """

    takes_series = False

    density_g_per_cm3: Tensor

    def __init__(
        self,
        specimen: Specimen,
        ice: FlatIce | HoleyIce,
        density_g_per_cm3: float | Tensor = ICE_DENSITY_G_PER_CM3,
        *,
        exposure: float = 0.0,
        motion: float = WATER_MOTION,
        displaced: Specimen | None = None,
        band_limit: float = 2 / 3,
        taper: float = 0.01,
        seed: int = 0,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("density_g_per_cm3",))
        register_quantity(self, "density_g_per_cm3", density_g_per_cm3, learnable, Positive())
        for name, value in (("exposure", exposure), ("motion", motion)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must not be negative, got {value}")
        self.specimen, self.displaced, self.ice = specimen, displaced, ice
        self.shape = specimen.shape
        self.pixel_size = specimen.pixel_size
        self.slice_thickness = specimen.slice_thickness
        if displaced is not None:
            for name in ("shape", "pixel_size", "slice_thickness"):
                if getattr(displaced, name) != getattr(specimen, name):
                    raise ValueError(
                        f"displaced must have the specimen's {name} of {getattr(specimen, name)}, "
                        f"got {getattr(displaced, name)}"
                    )
        self.exposure, self.motion = exposure, motion
        self.band_limit, self.taper = band_limit, taper
        self.seed = seed

    def view(
        self,
        stage: Stage,
        beam: Beam,
        tilt: int | None = None,
    ) -> View:
        """Slices at one position of the stage, made while they are asked for.

        Parameters
        ----------
        stage : Stage
            Turns the ice with the specimen.
        beam : Beam
            Its wavelength counts in thick slices, its energy for the motion.
        tilt : int, optional
            Index in a series; it is needed there.

        Returns
        -------
        View
            The specimen's slices with the ice, and slices of ice around them.
        """
        rotation = stage.rotation(tilt)
        if rotation.ndim > 2:
            raise ValueError("structured ice is viewed one tilt at a time, got a series")
        view = self.specimen.view(stage, beam, tilt)
        free = None if self.displaced is None else self.displaced.view(stage, beam, tilt)
        if free is not None and list(free.heights) != list(view.heights):
            raise ValueError("displaced lengths and specimen must have the same slices")
        layers = self.layers(rotation, beam)
        middle = self._middle(rotation)
        reach = max(float((middle.abs() + each.path.detach() / 2).max()) for each in layers)
        first, last, step = view.heights[0], view.heights[-1], self.slice_thickness
        before = max(0, math.ceil((reach + first) / step - 0.5 - 1e-6))
        after = max(0, math.ceil((reach - last) / step - 0.5 - 1e-6))
        heights = [
            *(first - i * step for i in range(before, 0, -1)),
            *view.heights,
            *(last + i * step for i in range(1, after + 1)),
        ]
        numbers = range(-before, len(heights) - before)
        occupied: Iterable[Tensor | None] = view.slices
        lengths: Iterable[Tensor | None] = (
            (None for _ in view.heights) if free is None else free.slices
        )
        inside = _padded(before, occupied, after), _padded(before, lengths, after)
        pairs = zip(numbers, heights, *inside, strict=True)
        made = (
            self._slice(layers, middle, height, (self.seed, tilt or 0, number), here, empty)
            for number, height, here, empty in pairs
        )
        return View(made, heights)

    def layers(
        self,
        rotation: Tensor,  # (3, 3)
        beam: Beam,
    ) -> list[AmorphousLayer]:
        """Ice, and carbon where the ice is held by a film.

        Parameters
        ----------
        rotation : Tensor
            Of the stage.
        beam : Beam
            Its energy counts for the motion.

        Returns
        -------
        list of AmorphousLayer
            Paths and powers, differentiable in thickness and density.
        """

        def water(q: Tensor) -> Tensor:
            return ice_power(q, 1.0, 1.0, self.exposure, beam.energy.detach(), self.motion)

        def carbon(q: Tensor) -> Tensor:
            return carbon_power(q, 1.0)

        density = quantity(self, "density_g_per_cm3")
        ice = self._powers(water, beam)
        if isinstance(self.ice, FlatIce):
            thickness = nm_to_angstrom(quantity(self.ice, "thickness_nm").double())
            return [AmorphousLayer(thickness / rotation[2, 2].abs(), density, ice)]
        paths = self.ice.paths(self.shape, rotation, pixel_size=self.pixel_size)
        return [
            AmorphousLayer(paths[0], density, ice),
            AmorphousLayer(paths[1], None, self._powers(carbon, beam)),
        ]

    def _powers(self, power: Callable[[Tensor], Tensor], beam: Beam) -> tuple[Tensor, ...]:
        """Power of 1 Å, parted into those of real and imaginary fields where slices are deep."""
        like = quantity(self, "density_g_per_cm3").detach()
        limit = band_limit_mask(
            self.shape, self.band_limit, self.taper, half=True, device=like.device
        )
        curvature = float(beam.wavelength.detach()) * self.slice_thickness
        end = self.band_limit / 2 / self.pixel_size
        deep = math.pi * curvature * end**2 > DEEP

        def parts(q: Tensor) -> Tensor:
            if not deep:
                return power(q)[None]
            common = torch.sinc(curvature * q**2)
            return power(q) * torch.stack([1 + common, 1 - common]) / 2

        made = on_half_grid(parts, self.shape, self.pixel_size, like.device)
        return (made.to(like) * (limit**2).to(like)).unbind()

    def _middle(self, rotation: Tensor) -> Tensor:  # () or (y, x) Å
        """Height of the specimen's plane above each pixel; a number where it is not tilted."""
        along = rotation.detach()[:, 2]
        if float(along[:2].abs().max()) < 1e-9:
            return torch.zeros((), dtype=rotation.dtype, device=rotation.device)
        y, x = (
            (torch.arange(n, dtype=rotation.dtype, device=rotation.device) - n // 2)
            * self.pixel_size
            for n in self.shape
        )
        return -(along[1] * y[:, None] + along[0] * x) / along[2]

    def _slice(
        self,
        layers: Sequence[AmorphousLayer],
        middle: Tensor,
        height: float,
        seeds: tuple[int, ...],
        specimen: Tensor | None,
        displaced: Tensor | None,
    ) -> Tensor:  # (y, x) V Å
        """One slice of the specimen with the ice in it."""
        total = specimen
        for kind, layer in enumerate(layers):
            lower, upper = middle - layer.path.detach() / 2, middle + layer.path.detach() / 2
            half = self.slice_thickness / 2
            inside = upper.clamp(max=height + half) - lower.clamp(min=height - half)
            # The share is a matter of geometry; what is learned is how much there is in all.
            share = inside.clamp(min=0) / layer.path.detach().clamp(min=1e-9)
            path = layer.path * share
            if displaced is not None and kind == 0:
                path = path - displaced
            present = path > 0  # the square root has no gradient at 0
            if not bool(present.any()):
                continue
            weight = path if layer.density is None else path * layer.density
            amplitude = torch.sqrt(torch.where(present, weight, 1.0)) * present
            field = self._field(layer.powers, (*seeds, kind))
            field = field * amplitude.to(layer.powers[0])
            total = field if total is None else total + field
        if total is None:
            total = torch.zeros(self.shape).to(quantity(self, "density_g_per_cm3"))
        return total

    def _field(self, powers: tuple[Tensor, ...], seeds: tuple[int, ...]) -> Tensor:  # (y, x)
        """Field of 1 Å; complex where a slice is deep."""
        generator = seeded(*seeds)
        parts = [
            random_field(white_noise(self.shape, generator).to(each), each, self.pixel_size)
            for each in powers
        ]
        return torch.complex(*parts) if len(parts) > 1 else parts[0]


def _padded(before: int, items: Iterable[Tensor | None], after: int) -> Iterator[Tensor | None]:
    """Put nothing before and after."""
    yield from (None for _ in range(before))
    yield from items
    yield from (None for _ in range(after))
