"""Particle specimen: thousands of particles as slices of projected potential."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast, get_args

import torch
from torch import Tensor, nn

from difftem.functional.grid import check_pixel_size
from difftem.functional.sampling import good_fft_size
from difftem.functional.slabs import Slabs, highest_frequency
from difftem.functional.slice_grid import SliceGrid, slice_grid
from difftem.functional.wave import complex_dtype
from difftem.modules.beam import Beam
from difftem.modules.instances import Instances
from difftem.modules.particle import Particle
from difftem.modules.particles_in_view import Depth, ParticlesInView, slice_range
from difftem.modules.project_particles import project_particles
from difftem.modules.specimen import View
from difftem.modules.stage import Stage

PATCH_MARGIN = 0.4  # over the taper: pixels around a particle's sphere, for its edge's tails
THICK = 1.5  # slices: larger particles are cut


class ParticleSpecimen(nn.Module):
    """Particles in a field, projected slice by slice.

    Slice s holds the plane z = s Δ in the middle of the specimen; a particle belongs to the slice
    nearest to its center, or is cut softly between several where it is thicker than 1.5 slices.

    Parameters
    ----------
    particles : mapping of str to Particle
        Templates by name.
    instances : sequence of Instances
        Copies of them.
    shape : tuple of int
        ``(ny, nx)`` of the field in pixels; its centre is pixel ``n // 2``.
    pixel_size : float
        In Å.
    slice_thickness : float
        Δ in Å, independent of pixel and particles.
    depth : {"ignored", "particle", "slice"} or mapping
        How height within a slice is treated. "slice": every point is propagated to the slice's
        plane (first order in the potential, Ewald sphere). "particle": only every particle's
        centre is, as in TEM-simulator's defocus correction. "ignored": plain projection. A mapping
        sets it for each particle.
    band_limit : float
        Fraction of the field's Nyquist that is kept.
    taper : float
        Width of its edge in cycles/pixel, or in cycles/voxel of a template whose voxels are larger:
        soft, so that a projection stays within its patch.
    max_frequency : float, optional
        Band limit in 1/Å instead; beyond Nyquist it is folded back, as point sampling does.
    pixel_average : bool
        Average the projected potential over each pixel, as TEM-simulator does.
    voxel_average : bool
        Take a template's voxels as cubes of constant potential, as TEM-simulator does, instead of
        samples of a smooth one; to second order in their size.
    cut : bool
        Cut thick particles; otherwise each lies as a whole in the slice nearest to its center.
    dtype : torch.dtype
        float32 or float64, of a specimen without particles; else the templates' counts.

    Raises
    ------
    ValueError
        For an unknown particle or a non-positive sampling.

    Examples
    --------
    >>> from difftem.modules import ParticleSpecimen
    >>> ParticleSpecimen({}, [], (64, 64), pixel_size=4.0, slice_thickness=100.0).shape
    (64, 64)
    """

    takes_series = False

    _vacuum: Tensor

    def __init__(
        self,
        particles: Mapping[str, Particle],
        instances: Sequence[Instances],
        shape: tuple[int, int],
        pixel_size: float,
        slice_thickness: float,
        *,
        depth: Depth | Mapping[str, Depth] = "slice",
        band_limit: float = 2 / 3,
        taper: float = 0.05,
        max_frequency: float | None = None,
        pixel_average: bool = False,
        voxel_average: bool = False,
        cut: bool = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        check_pixel_size(pixel_size)
        if not (math.isfinite(slice_thickness) and slice_thickness > 0):
            raise ValueError(f"slice_thickness must be positive, got {slice_thickness} Å")
        depths = dict.fromkeys(particles, depth) if isinstance(depth, str) else dict(depth)
        for name in particles:
            if (got := depths.get(name)) not in get_args(Depth):
                raise ValueError(f"depth must be one of {', '.join(get_args(Depth))}, got {got!r}")
        for each in instances:
            if each.particle not in particles:
                known = ", ".join(particles) or "none"
                raise ValueError(f"unknown particle {each.particle!r}, the specimen has {known}")
        self.particles = nn.ModuleDict(particles)
        self.instances = nn.ModuleList(instances)
        self.shape = shape
        self.pixel_size = pixel_size
        self.slice_thickness = slice_thickness
        self.depth = depths
        self.max_frequency = max_frequency or band_limit / 2 / pixel_size
        self.taper = taper
        self.pixel_average = pixel_average
        self.voxel_average = voxel_average
        self.cut = cut
        # Follows the module to other types and devices.
        self.register_buffer("_vacuum", torch.zeros((), dtype=dtype), persistent=False)

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
            Turns and shifts the particles.
        beam : Beam
            Its wavelength is that of `slices`.
        tilt : int, optional
            Index in a series; it is needed there.

        Returns
        -------
        View
            Slices and their heights.
        """
        rotation = stage.rotation(tilt)
        if rotation.ndim > 2:
            raise ValueError("particles are viewed one tilt at a time, got a series")
        shift = stage.shift[tilt or 0]
        placed = self.place(rotation, shift, turn_positions=stage.turn_positions)
        heights = [index * self.slice_thickness for index in slice_range(placed)]
        slices = self.slices(placed, beam.wavelength, beam.tilt)
        return View((each for _, each in slices), heights)

    def place(
        self,
        stage: Tensor,  # (3, 3)
        shift: Tensor,  # (2,) Å
        *,
        turn_positions: bool = True,
    ) -> list[ParticlesInView]:
        """Where every particle is in one micrograph; arguments as of `Instances.forward`."""
        placed = []
        for instances in cast(Iterator[Instances], iter(self.instances)):
            particle = self._particle(instances.particle)
            centers, rotations = instances(stage, shift, turn_positions=turn_positions)
            height, width = (n * self.pixel_size for n in self.shape)
            edge = torch.tensor([width, height]).to(centers) / 2
            keep = (centers[:, :2].detach().abs() - edge < particle.radius).all(-1)
            centers, rotations = centers[keep], rotations[keep]
            z = centers[:, 2].detach() / self.slice_thickness
            thick = self.cut and 2 * particle.radius > THICK * self.slice_thickness
            if thick:
                half = particle.radius / self.slice_thickness
                # One whole period of the window, so that its cut Fourier series adds up to 1.
                first = torch.floor(z - half)
                last = first + math.ceil(2 * half) + 1
            else:
                first = last = torch.floor(z + 0.5)
            slices = (first.long(), last.long())
            depth = self.depth[instances.particle]
            placed.append(ParticlesInView(particle, centers, rotations, *slices, thick, depth))
        return placed

    def slices(
        self,
        placed: Sequence[ParticlesInView],
        wavelength: Tensor,  # () Å
        tilt: Tensor | None = None,  # (2,) rad
    ) -> Iterator[tuple[float, Tensor]]:  # of Å, (ny, nx) V Å
        """Projected potential slice by slice, empty ones in between included.

        Parameters
        ----------
        placed : sequence of ParticlesInView
            From `place`.
        wavelength : Tensor
            Of the beam, for the depth inside a slice.
        tilt : Tensor, optional
            Of the beam, which moves what is not in a slice's plane.

        Yields
        ------
        tuple
            Height of the plane in Å and projected potential in V Å: complex where it absorbs or
            has depth, else real.
        """
        if tilt is not None:
            placed = [each.along(tilt) for each in placed]
        grids = [self._grid(each.particle) for each in placed]
        stores: list[dict[int, Tensor]] = [{} for _ in placed]
        reaches = [(each.first.cpu(), each.last.cpu()) for each in placed]
        for index in slice_range(placed):
            plane = index * self.slice_thickness
            field = self._empty()
            for each, (first, last), grid, store in zip(
                placed, reaches, grids, stores, strict=True
            ):
                here = ((first <= index) & (index <= last)).nonzero()[:, 0]
                if len(here):
                    field = self._project(field, each, here, grid, plane, wavelength, store)
                for done in (last == index).nonzero()[:, 0].tolist():
                    store.pop(done, None)
            yield plane, field if self.is_complex else field.real

    @property
    def is_complex(self) -> bool:
        """Whether the projected potential has an imaginary part."""
        absorbs = any(self._particle(name).volume.is_complex() for name in self.particles)
        return absorbs or any(depth != "ignored" for depth in self.depth.values())

    def _project(
        self,
        field: Tensor,
        placed: ParticlesInView,
        here: Tensor,  # on the CPU
        grid: SliceGrid,
        plane: float,
        wavelength: Tensor,
        store: dict[int, Tensor],
    ) -> Tensor:
        """Add some copies of one particle to a slice."""
        slabs = Slabs(
            wavelength.to(grid.frequency),
            placed.depth,
            self.slice_thickness if placed.thick else None,
            placed.particle.radius,
        )
        limit = highest_frequency(self._limit(placed.particle), slabs)
        spectrum = placed.particle.spectrum(min(limit, placed.particle.nyquist))
        names, here = here.tolist(), here.to(placed.positions.device, non_blocking=True)
        return project_particles(
            field,
            spectrum,
            placed.positions[here] - placed.origin(plane),
            placed.rotations[here],
            grid,
            slabs,
            store,
            names,
        )

    def _limit(self, particle: Particle) -> float:  # 1/Å
        """Highest frequency that both the field and the template hold."""
        return min(self.max_frequency, particle.nyquist)

    def _grid(self, particle: Particle) -> SliceGrid:
        """Fourier coefficients of the patch that holds one particle."""
        coarser = max(self.pixel_size, particle.voxel_size)
        margin = PATCH_MARGIN / self.taper * coarser
        size = 2 * math.ceil((particle.radius + margin) / self.pixel_size)
        volume = particle.volume
        grid = slice_grid(
            good_fft_size(size),
            self.pixel_size,
            self._limit(particle),
            self.taper / coarser,
            pixel_average=self.pixel_average,
            device=volume.device,
            dtype=volume.real.dtype,
        )
        if not self.voxel_average:
            return grid
        # A cube's transform, whichever way it is turned: to second order a function of |q| alone.
        blur = (math.pi * particle.voxel_size) ** 2 / 6 * (grid.frequency**2).sum(-1)
        return grid._replace(weight=grid.weight * torch.exp(-blur))

    def _empty(self) -> Tensor:
        volumes = [self._particle(name).volume for name in self.particles]
        like = volumes[0] if volumes else self._vacuum
        return like.new_zeros(self.shape, dtype=complex_dtype(like.dtype))

    def _particle(self, name: str) -> Particle:
        return cast(Particle, self.particles[name])
