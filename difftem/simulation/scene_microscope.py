"""One micrograph (or tilt series) of a scene, the same whenever its number is the same."""

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from difftem.functional.projection import DEFAULT, FINE
from difftem.functional.sampling import delocalisation, good_fft_size, information_limit
from difftem.modules import Beam, Detector, Dose, Multislice
from difftem.modules.film import IceFilm
from difftem.modules.ice_layer import IceLayer
from difftem.modules.instances import Instances
from difftem.modules.particle import Particle
from difftem.modules.placed import slice_range
from difftem.modules.specimen import Specimen
from difftem.modules.specimen_simulator import Progress, SpecimenSimulator
from difftem.modules.stage import Stage
from difftem.scene.poses import Scene
from difftem.simulation.microscope import build_detector, build_lens
from difftem.simulation.scene_check import check
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.scene_placement import ice_thickness, place_particles, read_places
from difftem.simulation.stage import draw_stage
from difftem.simulation.templates import make_template
from difftem.units import (
    angstrom_to_nm,
    mm_to_angstrom,
    mrad_to_rad,
    nm_to_angstrom,
    um_to_angstrom,
)

MAX_SLICES = 2000
MAX_PADDING = 1 / 8  # of the longer side


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
        Checked here as far as it can be.
    folders : list of Path
        Where to look for relative paths.
    say : callable
        Told what happens in one line.

    Attributes
    ----------
    device : torch.device
        Computes the images; the CPU unless it is set.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """

    def __init__(
        self, config: SceneConfig, folders: list[Path], say: Callable[[str], None]
    ) -> None:
        check(config)
        self.config, self.say, self.device = config, say, torch.device("cpu")
        # What is cheap to refuse comes before the templates.
        Beam(config.microscope.voltage_kv, config.microscope.beam_tilt_mrad)
        build_lens(config.microscope, config.sampling.pixel_size)
        self.detector: Detector = build_detector(config.detector, folders)
        self.given = read_places(config, folders, say)
        fine = FINE if config.sampling.interpolation == "fine" else DEFAULT
        self.particles: dict[str, Particle] = {}
        for each in config.particles:
            template = make_template(each, config, folders, say)
            self.particles[each.name] = Particle(
                template.values,
                template.voxel_size,
                center=template.center,
                radius=template.radius,
                interpolation=fine,
            )

    @property
    def radii(self) -> Mapping[str, float]:  # Å
        """Bounding spheres of the particles."""
        return {name: particle.radius for name, particle in self.particles.items()}

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
            As of `SpecimenSimulator.intensity`.

        Returns
        -------
        SceneMicrograph
            Images and truth.
        """
        config = self.config
        generator = torch.Generator().manual_seed(item_seed(config.seed, index))
        conditions = self._draw(generator)
        thickness = nm_to_angstrom(conditions.ice_thickness_nm)
        scene = place_particles(config, self.radii, thickness, self.given, generator, self.say)
        errors = torch.Generator().manual_seed(item_seed(config.seed, index, "stage"))
        stage = draw_stage(config, errors)
        simulator = self.simulator(scene, conditions, stage).to(self.device)
        simulator.detector.cpu()  # noise is drawn from the CPU's random numbers
        noise_free, micrographs, counts, n_slices = [], [], [], 0
        with torch.no_grad():
            for tilt in range(len(simulator.stage)):
                planes = len(slice_range(simulator.place(tilt)))
                if planes > MAX_SLICES:
                    raise ValueError(
                        f"the particles' heights span {planes} slices of "
                        f"{config.sampling.slice_thickness_nm:g} nm, at most {MAX_SLICES} are "
                        "allowed; are the coordinates in Å?"
                    )
                intensity = simulator.intensity(tilt, progress).cpu()
                expected = simulator.expected_counts(intensity, tilt)
                noise_free.append(simulator.detector.expected(expected))
                micrographs.append(simulator.read_out(expected, generator)[1])
                counts.append(float(expected.double().mean()))
                n_slices = max(n_slices, planes)
        rotations = [simulator.stage.rotation(tilt).cpu() for tilt in range(len(simulator.stage))]
        return SceneMicrograph(
            index,
            scene,
            conditions,
            torch.stack(noise_free),
            torch.stack(micrographs),
            sum(counts) / len(counts),
            torch.stack(rotations),
            simulator.stage.shift.cpu(),
            n_slices,
        )

    def simulator(self, scene: Scene, conditions: Conditions, stage: Stage) -> SpecimenSimulator:
        """Compose the stages for a scene."""
        config = self.config
        sampling = config.sampling
        microscope = dataclasses.replace(config.microscope, defocus_um=conditions.defocus_um)
        beam = Beam(microscope.voltage_kv, microscope.beam_tilt_mrad)
        lens = build_lens(microscope, sampling.pixel_size)
        limit = information_limit(
            float(beam.wavelength),
            sampling.pixel_size,
            float(lens.focal_spread(beam.energy)),
            None if microscope.aperture_mrad is None else mrad_to_rad(microscope.aperture_mrad),
        )
        nx, ny = sampling.size
        padding = sampling.padding
        if padding is None:
            spread = delocalisation(
                float(beam.wavelength),
                limit,
                um_to_angstrom(conditions.defocus_um),
                mm_to_angstrom(microscope.cs_mm),
            )
            most = int(MAX_PADDING * max(nx, ny))
            padding = min(math.ceil(spread / sampling.pixel_size), most)
        specimen = Specimen(
            self.particles,
            [Instances(each.particle, each.positions, each.rotations) for each in scene.instances],
            (good_fft_size(ny + 2 * padding), good_fft_size(nx + 2 * padding)),
            sampling.pixel_size,
            nm_to_angstrom(sampling.slice_thickness_nm),
            depth=sampling.depth,
        )
        return SpecimenSimulator(
            specimen,
            Multislice(sampling.pixel_size, specimen.slice_thickness),
            lens,
            Dose(conditions.dose_e_per_a2, sampling.pixel_size),
            self.detector,
            beam=beam,
            stage=stage,
            attenuation=self._ice(conditions),
            shape=(ny, nx),
        )

    def _draw(self, generator: torch.Generator) -> Conditions:
        """Draw what varies; every micrograph uses up the same random numbers."""
        config = self.config
        shares = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
        thickness = angstrom_to_nm(ice_thickness(config, self.radii))
        fixed = (config.microscope.defocus_um, config.exposure.dose_e_per_a2, thickness)
        ranges = dataclasses.astuple(config.variation)
        drawn = [
            value if limits is None else limits[0] + share * (limits[1] - limits[0])
            for value, limits, share in zip(fixed, ranges, shares, strict=True)
        ]
        return Conditions(*drawn)

    def _ice(self, conditions: Conditions) -> nn.Module:
        """Ice around the particles."""
        ice, thickness = self.config.ice, conditions.ice_thickness_nm
        if ice.hole_diameter_nm is None:
            return IceLayer(thickness, ice.mean_free_path_nm)
        edge = thickness if ice.edge_thickness_nm is None else ice.edge_thickness_nm
        return IceFilm(
            self.config.sampling.pixel_size,
            ice.hole_diameter_nm,
            thickness,
            edge,
            mean_free_path_nm=ice.mean_free_path_nm,
        )


def item_seed(seed: int, index: int, purpose: str = "") -> int:
    """Seed of one micrograph: a hash, so that neighbours share no random numbers."""
    digest = hashlib.sha256(f"{seed} {index} {purpose}".strip().encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
