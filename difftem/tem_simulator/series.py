"""From an input file to everything it asks for, in memory."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.simulation.run import Stopwatch, slices_bar
from difftem.tem_simulator.camera import Camera
from difftem.tem_simulator.differences import geometry_differences
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.exposure import tilt_defoci, tilt_doses
from difftem.tem_simulator.files.placement import place
from difftem.tem_simulator.files.tilts import TiltGeometry, pose_particles, tilt_geometry
from difftem.tem_simulator.memory import RunMemory
from difftem.tem_simulator.microscope import (
    build_beam,
    build_simulator,
    build_specimen,
)
from difftem.tem_simulator.outputs import made_particles
from difftem.tem_simulator.particles import MapTemplate, make_template
from difftem.tem_simulator.wave_grid import WaveGrid, choose_wave_grid, pixel_at_specimen


@dataclass(eq=False)
class RecordedSeries:
    """What the cameras saw, and where everything was.

    Attributes
    ----------
    field : WaveGrid
        Sampling of the wave.
    cameras : list of Camera
        In the order of the detectors.
    images : list of Tensor
        Of each camera, shape ``(n_tilts, y, x)``, grey values.
    shown : int
        Number of the camera of the preview: the first one that counts electrons, if there is one.
    noise_free : Tensor
        Its middle image without noise.
    tilts : TiltGeometry
        Orientations.
    doses, defoci : Tensor
        Of each tilt, in e/Å² and Å.
    instances : list of tuple
        Name, positions in Å and rotations of each particle set.
    mean_counts : list of float
        Of each camera, e/pixel.
    notes : list of str
        What a user should know.
    """

    field: WaveGrid
    cameras: list[Camera]
    images: list[Tensor]
    shown: int
    noise_free: Tensor
    tilts: TiltGeometry
    doses: Tensor
    defoci: Tensor
    instances: list[tuple[str, Tensor, Tensor]]
    mean_counts: list[float]
    notes: list[str]


def draw_seed() -> int:
    """Seed where none is given."""
    return secrets.randbits(31)


def make_templates(
    simulation: TemSimulatorInput,
    generator: torch.Generator,
    stopwatch: Stopwatch,
    memory: RunMemory | None = None,
) -> dict[str, MapTemplate]:
    """Make the maps of the particles that are needed, by name, if they fit into memory."""
    electrons = simulation.electronbeam
    energy = None if electrons is None else build_beam(electrons).energy
    made = {}
    particles = made_particles(simulation)
    bar = tqdm(particles.items(), "maps", delay=1.0)
    with torch.no_grad(), stopwatch.stage("maps"), bar:
        for name, particle in bar:
            made[name] = make_template(
                particle, energy, generator, None if memory is None else memory.make
            )
    return made


def take_series(
    simulation: TemSimulatorInput,
    templates: dict[str, MapTemplate],
    generator: torch.Generator,
    stopwatch: Stopwatch,
) -> RecordedSeries:
    """Place the particles and image them with every detector."""
    sample, geometry, electrons, optics = simulation.micrograph_parts()
    tilts = tilt_geometry(geometry, generator)
    n_tilts = len(tilts.rotations)
    doses = tilt_doses(electrons, n_tilts, generator)
    defoci = tilt_defoci(optics, n_tilts, generator)
    instances = [
        (each.particle_type, *place(each, sample, templates[each.particle_type].sides, generator))
        for each in simulation.particlesets
    ]
    posed = [pose_particles(tilts, *each[1:], geometry.tilt_mode) for each in instances]
    notes = geometry_differences(rotations for _, rotations in posed)
    wavelength = float(build_beam(electrons).wavelength)
    sampling = choose_wave_grid(simulation.detectors, optics, wavelength)
    corrected = {name: each.use_defocus_corr for name, each in simulation.particles.items()}
    specimen = build_specimen(templates, corrected, instances, sampling)
    simulator = build_simulator(simulation, specimen, sampling, tilts, doses, defoci)
    cameras = [Camera(each, pixel_at_specimen(each, optics)) for each in simulation.detectors]
    exposures: list[list[Tensor]] = [[] for _ in cameras]
    counts = [0.0 for _ in cameras]
    noisy = [i for i, each in enumerate(simulation.detectors) if each.use_quantization]
    shown, noise_free = (noisy or [0])[0], torch.empty(0)
    with torch.no_grad(), slices_bar() as progress:

        def timed(slices: Iterable[Tensor], number: int) -> Iterator[Tensor]:
            """Pass slices on, timing how long each takes to make."""
            return stopwatch.each(progress(slices, number), "projection")

        for tilt in range(n_tilts):
            with stopwatch.stage("projection and wave"):
                intensity = simulator.intensity(tilt, timed)
            with stopwatch.stage("detectors"):
                for i, camera in enumerate(cameras):
                    exposed = camera.expose(intensity, sampling.pixel_size, doses[tilt], generator)
                    exposures[i].append(exposed.image)
                    counts[i] += exposed.mean_counts / n_tilts
                    if i == shown and tilt == n_tilts // 2:
                        noise_free = exposed.noise_free
    stopwatch.take_out("projection", "projection and wave", "wave")
    images = [torch.stack(each) for each in exposures]
    return RecordedSeries(
        sampling, cameras, images, shown, noise_free, tilts, doses, defoci, instances, counts, notes
    )
