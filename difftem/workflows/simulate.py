"""Atoms to micrographs."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import torch

from difftem.atoms import Atoms
from difftem.io.account import counted
from difftem.io.image_stack import check_format
from difftem.modules import Stage
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.templates.render import Solvent, render_template
from difftem.scene.templates.template import Template
from difftem.simulation.advice import band_advice, sampling_advice
from difftem.simulation.config import EDGE
from difftem.simulation.copies import copy_poses, read_particle
from difftem.simulation.damage import image_fading
from difftem.simulation.device import accelerator_device
from difftem.simulation.focus import at_largest_defocus, defoci_um, focus_lenses
from difftem.simulation.image_truth import image_truth
from difftem.simulation.limits import changed, check_common
from difftem.simulation.memory import check_memory, estimate_bytes, wave_bytes
from difftem.simulation.messages import collected
from difftem.simulation.microscope import build_detector, build_lens, build_simulator
from difftem.simulation.run import Stopwatch, slices_bar, take_series
from difftem.simulation.sampling import Sampling, choose_sampling, wave_pixel_size
from difftem.simulation.seed import item_seed
from difftem.simulation.settings import configured
from difftem.simulation.simulate_config import SimulateConfig
from difftem.simulation.stage import draw_stage
from difftem.simulation.unit_mistakes import doubtful_units
from difftem.simulation.without_specimen import emptied, is_empty, take_edge
from difftem.workflows.simulated_micrographs import (
    SimulatedMicrographs,
    particle_name,
    structure_name,
)
from difftem.workflows.truth.imaged_scene import ImagedScene

logger = logging.getLogger(__name__)


def simulate(
    structure: str | Path | Atoms | None = None,
    *,
    config: SimulateConfig | str | Path | None = None,
    **settings: Any,
) -> SimulatedMicrographs:
    """Simulate micrographs of a structure, as the command ``difftem simulate`` does.

    Padding, slices and thickness of the ice are chosen where they are not given, and what the
    sampling cannot do is logged as a warning. The defaults are one copy in 512 x 512 pixels of
    1 Å; the command without arguments takes its example's settings instead.

    Parameters
    ----------
    structure : str, Path or Atoms, optional
        Structure file (mmCIF, PDB, XYZ, also .gz) or atoms; ``vacuum``; or ``edge``, a knife edge
        on the camera. Default: the bundled apoferritin.
    config : SimulateConfig or str or Path, optional
        To start from; a YAML file by its path. Default: the defaults of every setting.
    **settings
        Any field of `difftem.simulation.simulate_config.SimulateConfig` by its name, with its
        section's before it where two sections have one of that name: ``pixel_size`` (Å), ``size``
        (x, y in pixels), ``defocus_um``, ``voltage_kv``, ``cs_mm``, ``dose_e_per_a2``,
        ``tilts_deg``, ``exposures``, ``ice_thickness_nm``, ``ice_present``, ``copies_count``,
        ``preset`` (of the camera), ``seed``, ``accelerator`` ... ``difftem simulate --help``
        lists all.

    Returns
    -------
    SimulatedMicrographs
        Images; ``.show()`` draws them, ``.save(folder)`` writes them.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem
    >>> result = difftem.simulate(size=(64, 64), pixel_size=4.0, defocus_um=2.0)
    >>> tuple(result.micrographs.shape)
    (1, 64, 64)
    """
    if structure is not None and not isinstance(structure, Atoms):
        settings = {**settings, "structure_source": structure}
    configuration = configured(SimulateConfig, config, settings)
    check_common(configuration)
    atoms = structure if isinstance(structure, Atoms) else None
    if atoms is not None:
        given = changed(configuration.structure) | (
            changed(configuration.copies) & {"rotation_deg"}
        )
        if given:
            raise ValueError(f"{min(given)} does not apply to atoms, which are taken as they are")
        as_they_are = dataclasses.replace(configuration.structure, source="atoms")
        configuration = dataclasses.replace(configuration, structure=as_they_are)
    with collected() as messages:
        return _simulate(atoms, configuration, messages)


def _simulate(
    given: Atoms | None, asked: SimulateConfig, messages: list[str]
) -> SimulatedMicrographs:
    """Simulate as configured."""
    check_format(asked.files.format)
    asked = emptied(asked)
    config = at_largest_defocus(asked)  # which the sampling must hold
    device = accelerator_device(config.accelerator)
    generator = torch.Generator().manual_seed(config.seed)
    # Of the stage alone: its errors leave the particles and the noise as they are.
    stage = draw_stage(config, torch.Generator().manual_seed(item_seed(config.seed, 0, "stage")))
    stopwatch = Stopwatch()
    lens = build_lens(config.microscope, wave_pixel_size(config.sampling, config.microscope))
    detector = build_detector(config.detector)
    with stopwatch.stage("structure"):
        empty = is_empty(config)
        turn = config.copies.rotation_deg
        particle = None if empty else given or read_particle(config.structure, turn)
        poses = copy_poses(particle_name(config), particle, config, generator)
        atoms = particle and particle.copies(poses.rotations, poses.positions)
    n_atoms = 0 if atoms is None else len(atoms)
    sampling = choose_sampling(atoms, config, stage)
    simulator = build_simulator(atoms, config, sampling, lens, detector, stage)
    logger.info(_summary(n_atoms, sampling))
    if (note := band_advice(config.sampling, config.microscope)) is not None:
        logger.info(note)
    doubts = doubtful_units(config.microscope, config.exposure, config.ice)
    if atoms is not None:
        doubts += sampling_advice(atoms, config, sampling, float(simulator.beam.wavelength))
    for line in doubts:
        logger.warning(line)
    exposure = config.exposure
    lenses, n_tilts = focus_lenses(asked, simulator.lens.pixel_size), len(exposure.tilts_deg)
    n_micrographs = n_tilts * len(lenses) * exposure.exposures
    kept = wave_bytes(sampling, n_tilts) if asked.files.exit_wave else 0.0
    needed = estimate_bytes(atoms, config, sampling, n_micrographs, n_tilts * len(lenses))
    check_memory(needed + kept, device, config.memory_limit_gb)
    simulator.to(device).detector.cpu()  # noise is drawn from the CPU's random numbers
    if config.structure.source == EDGE:
        with stopwatch.stage("detector"):
            taken = take_edge(config, detector, generator)
    else:
        fade = image_fading(exposure, exposure.dose_e_per_a2, config.microscope.voltage_kv)
        with slices_bar() as progress:
            taken = take_series(
                simulator,
                generator,
                exposure.exposures,
                progress,
                stopwatch,
                lenses=lenses,
                keep_waves=asked.files.exit_wave,
                fade=fade,
            )
    if len(lenses) > 1:
        logger.info("of a focus series, the tables of truth name the first image only")
    images = [(tilt, defocus) for tilt in exposure.tilts_deg for defocus in defoci_um(asked)]
    return SimulatedMicrographs(
        taken.micrographs,
        taken.noise_free,
        sampling.pixel_size,
        [tilt for tilt, _ in images],
        [defocus for _, defocus in images],
        taken.mean_counts,
        structure_name(asked),
        n_atoms,
        _imaged_scene(poses, particle, asked, sampling, stage),
        asked,
        sampling,
        dict(stopwatch.seconds),
        messages,
        taken.exit_waves,
        taken.wave_heights,
        simulator.lens.pixel_size,
    )


def _imaged_scene(
    poses: ParticlePoses,
    particle: Atoms | None,
    config: SimulateConfig,
    sampling: Sampling,
    stage: Stage,
) -> ImagedScene:
    """Gather what files of truth say."""
    ny, nx = sampling.crop
    depth = sampling.n_slices * sampling.slice_thickness
    n, defoci = len(stage), defoci_um(config)
    radius = 0.0 if particle is None else float(particle.positions.norm(dim=-1).max())
    # Of a focus series the tables have the first image.
    microscope = dataclasses.replace(config.microscope, defocus_um=defoci[0])
    return ImagedScene(
        Scene((poses,), (nx * sampling.pixel_size, ny * sampling.pixel_size, depth)),
        {poses.particle: radius},
        image_truth(microscope, config.ice.present, sampling.pixel_size),
        (ny, nx),
        config.exposure.tilts_deg,
        torch.stack([stage.rotation(i) for i in range(n)]).cpu(),
        stage.shift.double().cpu(),
        config.exposure.tilt_axis_deg,
        config.exposure.dose_e_per_a2,
        config.exposure.exposures * len(defoci),
        "series",
        _templates(poses.particle, particle, config),
    )


def _templates(name: str, particle: Atoms | None, config: SimulateConfig) -> dict[str, Template]:
    """Template of the particle, where a volume of the sample is asked for."""
    if particle is None or not config.truth.volumes:
        return {}
    solvent: Solvent = "displaced" if config.ice.present else "none"
    return {name: render_template(particle, config.sampling.pixel_size, solvent=solvent)}


def _summary(n_atoms: int, sampling: Sampling) -> str:
    (ny, nx), n = sampling.wave_shape, sampling.n_slices
    return (
        f"{counted(n_atoms, 'atom')}, {sampling.crop[1]} x {sampling.crop[0]} px of "
        f"{sampling.pixel_size:g} Å (simulated {nx} x {ny} of {sampling.wave_pixel_size:g} Å), "
        f"{counted(n, 'slice')} of {sampling.slice_thickness:.3g} Å"
    )
