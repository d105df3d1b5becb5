"""One micrograph (or tilt series) of a scene, the same whenever its number is the same."""

import dataclasses
import logging
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.functional.displaced_ice import displaced_share
from difftem.functional.projection import DEFAULT, FINE
from difftem.modules import (
    Detector,
    Dose,
    Instances,
    Multislice,
    Particle,
    ParticleSpecimen,
    Simulator,
    Stage,
)
from difftem.modules.particles_in_view import Depth
from difftem.modules.simulator import Progress
from difftem.scene.poses import Scene
from difftem.scene.templates.template import Template
from difftem.simulation.advice import padding_advice
from difftem.simulation.alternatives import settled
from difftem.simulation.damage import image_fading
from difftem.simulation.freed_memory import mapping_large_arrays, return_freed_memory
from difftem.simulation.microscope import build_beam, build_detector, build_ice, build_lens
from difftem.simulation.run import take_series
from difftem.simulation.sampling import choose_field, particle_slice_thickness
from difftem.simulation.scene_check import check_scene
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.scene_memory import SceneMemory
from difftem.simulation.scene_placement import (
    ice_thickness,
    numbers_of_copies,
    place_particles,
    read_places,
)
from difftem.simulation.seed import item_seed
from difftem.simulation.stage import draw_stage
from difftem.simulation.structured_ice import in_structured_ice
from difftem.simulation.templates import make_template
from difftem.simulation.unit_mistakes import doubtful_units
from difftem.simulation.variation import varied
from difftem.simulation.variation_config import ALWAYS_DRAWN
from difftem.units import angstrom_to_nm, nm_to_angstrom

logger = logging.getLogger(__name__)

MAX_SLICES = 2000  # of particles that are far apart
# Cycles/pixel of the band's edge; that of finer waves begins beyond the micrograph's Nyquist.
TAPER, FINER_TAPER = 0.05, 0.03


@dataclass(frozen=True)
class Conditions:
    """What was drawn for one micrograph."""

    defocus_um: float
    dose_e_per_a2: float
    ice_thickness_nm: float


@dataclass(frozen=True)
class SceneMicrograph:
    """One micrograph with its truth."""

    index: int
    config: SceneConfig  # what varies as it was drawn
    varied: dict[str, float]  # that, by its key
    scene: Scene
    conditions: Conditions
    noise_free: Tensor  # (n_tilts, y, x) grey values
    micrographs: Tensor  # (n_tilts, y, x) grey values
    mean_counts: float  # e/pixel
    rotations: Tensor  # (n_tilts, 3, 3)
    shifts: Tensor  # (n_tilts, 2) Å
    n_slices: int


class SceneMicroscope:
    """Templates and detector of a configuration, ready to take its micrographs.

    Parameters
    ----------
    config : SceneConfig
        Checked here as far as it can be; its files by paths that exist.
    processes : int
        That take such micrographs at once, for which there must be memory; 0 leaves it unchecked.

    Attributes
    ----------
    device : torch.device
        Computes the images; the CPU unless it is set.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """

    def __init__(self, config: SceneConfig, processes: int = 1) -> None:
        config = settled(config)
        check_scene(config)
        self.config, self.device = config, torch.device("cpu")
        # What is cheap to refuse comes before the templates.
        build_beam(config.microscope)
        build_lens(config.microscope, config.sampling.pixel_size)
        self.detector: Detector = build_detector(config.detector)
        for line in doubtful_units(config.microscope, config.exposure, config.ice):
            logger.warning(line)
        memory = SceneMemory(config, processes)
        self.given = read_places(config)
        fine = FINE if config.sampling.interpolation == "fine" else DEFAULT
        self.particles: dict[str, Particle] = {}
        self.displaced: dict[str, Particle] = {}  # of ice with a structure, from 0 to 1
        for each in config.particles:
            template = make_template(each, config, memory.render)
            self.particles[each.name] = Particle(
                template.values,
                template.voxel_size,
                center=template.center,
                radius=template.radius,
                interpolation=fine,
            )
            memory.keep(self.particles[each.name])
            if config.ice.structure:
                self.displaced[each.name] = Particle(
                    displaced_share(template.values, template.voxel_size),
                    template.voxel_size,
                    center=template.center,
                    radius=template.radius,
                )
                memory.keep(self.displaced[each.name])
            return_freed_memory()  # rendering leaves pieces
        self._new_spectra = memory.has_large_spectra  # which the first micrograph makes
        ice = ice_thickness(config, self.radii)
        memory.finish(self.particles, numbers_of_copies(config, self.radii, ice, self.given))

    @property
    def radii(self) -> Mapping[str, float]:  # Å
        """Bounding spheres of the particles."""
        return {name: particle.radius for name, particle in self.particles.items()}

    def templates(self) -> dict[str, Template]:
        """Templates of the particles."""
        return {
            name: Template(each.volume.cpu(), each.voxel_size, each.radius, each.center)
            for name, each in self.particles.items()
        }

    def take(
        self,
        index: int,
        progress: Progress | None = None,
    ) -> SceneMicrograph:
        """Place the particles of one micrograph and image them.

        Parameters
        ----------
        index : int
            Number of the micrograph; with the seed it decides all of it.
        progress : callable, optional
            As of `Simulator.exit_wave`.

        Returns
        -------
        SceneMicrograph
            Images and truth.
        """
        config, drawn = varied(self.config, index)
        generator = torch.Generator().manual_seed(item_seed(config.seed, index))
        conditions = self._draw(generator)
        microscope = dataclasses.replace(config.microscope, defocus_um=conditions.defocus_um)
        config = dataclasses.replace(config, microscope=microscope)
        thickness = nm_to_angstrom(conditions.ice_thickness_nm)
        scene = place_particles(config, self.radii, thickness, self.given, generator)
        errors = torch.Generator().manual_seed(item_seed(config.seed, index, "stage"))
        stage = draw_stage(config, errors)
        ice_seed = item_seed(config.seed, index, "ice")
        simulator = self.simulator(config, scene, conditions, stage, ice_seed).to(self.device)
        simulator.detector.cpu()  # noise is drawn from the CPU's random numbers
        fade = image_fading(config.exposure, conditions.dose_e_per_a2, config.microscope.voltage_kv)
        with mapping_large_arrays() if self._new_spectra else nullcontext():
            taken = take_series(
                simulator, generator, progress=progress, max_slices=MAX_SLICES, fade=fade
            )
        self._new_spectra = False
        return SceneMicrograph(
            index,
            config,
            drawn,
            scene,
            conditions,
            taken.noise_free,
            taken.micrographs,
            taken.mean_counts,
            torch.stack([simulator.stage.rotation(i).cpu() for i in range(len(simulator.stage))]),
            simulator.stage.shift.cpu(),
            taken.n_slices,
        )

    def simulator(
        self,
        config: SceneConfig,
        scene: Scene,
        conditions: Conditions,
        stage: Stage,
        ice_seed: int = 0,
    ) -> Simulator:
        """Compose the stages for a scene."""
        microscope, sampling = config.microscope, config.sampling
        field = choose_field(sampling, microscope)
        if (advice := padding_advice(field)) is not None:
            logger.warning(advice)
        pixel_size = field.wave_pixel_size
        instances = [
            Instances(each.particle, each.positions, each.rotations) for each in scene.instances
        ]

        def specimen_of(particles: Mapping[str, Particle], depth: Depth) -> ParticleSpecimen:
            return ParticleSpecimen(
                particles,
                instances,
                field.wave_shape,
                pixel_size,
                particle_slice_thickness(sampling),
                depth=depth,
                taper=FINER_TAPER if field.is_finer else TAPER,
            )

        specimen = specimen_of(self.particles, sampling.depth)
        displaced = specimen_of(self.displaced, "ignored") if self.displaced else None
        ice = build_ice(config.ice, conditions.ice_thickness_nm, sampling.pixel_size)
        return Simulator(
            in_structured_ice(
                specimen, ice, config.ice, conditions.dose_e_per_a2, ice_seed, displaced
            ),
            Multislice(pixel_size, specimen.slice_thickness),
            build_lens(microscope, pixel_size),
            Dose(conditions.dose_e_per_a2, sampling.pixel_size),
            self.detector,
            beam=build_beam(microscope),
            stage=stage,
            ice=ice,
            shape=field.crop,
            pixel_size=sampling.pixel_size if field.is_finer else None,
        )

    def _draw(self, generator: torch.Generator) -> Conditions:
        """Draw what varies; every micrograph uses up the same random numbers."""
        config = self.config
        shares = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
        thickness = angstrom_to_nm(ice_thickness(config, self.radii))
        fixed = (config.microscope.defocus_um, config.exposure.dose_e_per_a2, thickness)
        ranges = [getattr(config.variation, name) for name in ALWAYS_DRAWN]
        drawn = [
            value if limits is None else limits[0] + share * (limits[1] - limits[0])
            for value, limits, share in zip(fixed, ranges, shares, strict=True)
        ]
        return Conditions(*drawn)
