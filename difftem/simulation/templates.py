"""From the configuration of a particle to its template."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from difftem.atoms import Atoms
from difftem.functional.phantom import random_map
from difftem.modules import Beam
from difftem.scene.templates.cache import cache_folder, cached_template, content_key
from difftem.scene.templates.nested import build_template
from difftem.scene.templates.read import read_template
from difftem.scene.templates.render import BAND_LIMIT, STEEP, TAPER, absorbing, render_template
from difftem.scene.templates.template import Template
from difftem.scene.virion import sars_cov_2
from difftem.simulation.advice import table_advice
from difftem.simulation.config import PHANTOM, VIRION
from difftem.simulation.copies import read_particle
from difftem.simulation.microscope import amplitude_contrast
from difftem.simulation.particle_fields import source_kind
from difftem.simulation.sampling import wave_pixel_size
from difftem.simulation.scene_config import ParticleConfig, SceneConfig
from difftem.units import nm_to_angstrom

logger = logging.getLogger(__name__)
Solvent = Literal["displaced", "floor", "none"]

# Voxels over pixels, of particles whose signal is to reach Nyquist of the pixels.
FINER_VOXELS = 2 / 3
VIRION_SEED = 0
MAX_PHANTOM = 384  # voxels: some 2 GB while it is made


# Told the atoms and voxel size in Å of what is about to be rendered: refuses what is too large.
BeforeRendering = Callable[[Atoms, float], None]


def make_template(
    particle: ParticleConfig, config: SceneConfig, before: BeforeRendering | None = None
) -> Template:
    """Template of one particle for the field's pixels, from the cache if it is there.

    Parameters
    ----------
    particle : ParticleConfig
        One of the scene's.
    config : SceneConfig
        The scene.
    before : callable, optional
        Told atoms and voxel size before they are rendered.

    Returns
    -------
    Template
        On the CPU.
    """
    in_ice = config.ice.present and particle.solvent != "none"
    contrast = amplitude_contrast(config.microscope, config.ice.present)
    solvent: Solvent = (particle.solvent or "displaced") if in_ice else "none"
    if particle.source == VIRION:
        return _absorbing(_virion(particle, config, before), contrast)
    if particle.source == PHANTOM:
        return _absorbing(_phantom(particle, config.sampling.pixel_size), contrast)
    if source_kind(particle.source) == "a map":
        return _absorbing(read_template(particle.source, particle.voxel_size), contrast)
    share = 0.0 if solvent == "floor" else contrast
    return _rendered(particle, config, solvent, share, before)


def _rendered(
    particle: ParticleConfig,
    config: SceneConfig,
    solvent: Solvent,
    contrast: float,
    before: BeforeRendering | None,
) -> Template:
    """Template of atoms, kept in the cache."""
    atoms = read_particle(particle.structure(), particle.rotation_deg)
    voxel_size, taper = _voxels(config)
    voltage = config.microscope.voltage_kv if solvent == "floor" else None
    if (advice := table_advice(config.sampling.table, BAND_LIMIT / 2 / voxel_size)) is not None:
        logger.warning(advice)
    density = None if solvent == "none" else config.ice.density_g_per_cm3
    key = content_key(
        atoms,
        voxel_size=voxel_size,
        taper=taper,
        solvent=solvent,
        contrast=contrast,
        voltage=voltage,
        ice_density=density,
        table=config.sampling.table,
    )

    def make() -> Template:
        energy = None if voltage is None else Beam(voltage).energy
        if before is not None:
            before(atoms, voxel_size)
        logger.info("rendering %s: %d atoms", particle.name, len(atoms))
        return render_template(
            atoms,
            voxel_size,
            solvent=solvent,
            amplitude_contrast=contrast,
            energy=energy,
            table=config.sampling.table,
            taper=taper,
            ice_density_g_per_cm3=config.ice.density_g_per_cm3,
        )

    return cached_template(key, make, _cache(config))


def _voxels(config: SceneConfig) -> tuple[float, float]:
    """Voxel size in Å and taper of rendered templates that hold what the field's pixels carry."""
    sampling = config.sampling
    if wave_pixel_size(sampling, config.microscope) < sampling.pixel_size:
        return FINER_VOXELS * sampling.pixel_size, STEEP
    return sampling.pixel_size, TAPER


def _virion(
    particle: ParticleConfig, config: SceneConfig, before: BeforeRendering | None
) -> Template:
    """Template of a SARS-CoV-2-like virion."""
    if particle.parts is None:
        raise ValueError(
            f"particle {particle.name!r}: source {VIRION!r} needs the structure of its spike in "
            "'parts', such as 6vxx.pdb"
        )
    if particle.solvent not in (None, "displaced") or not config.ice.present:
        raise ValueError(f"particle {particle.name!r}: {VIRION!r} knows solvent 'displaced' only")
    spike = read_particle(particle.structure(particle.parts))
    (voxel_size, taper), density = _voxels(config), config.ice.density_g_per_cm3
    key = content_key(
        spike,
        voxel_size=voxel_size,
        taper=taper,
        virion=VIRION,
        seed=VIRION_SEED,
        ice_density=density,
        table=config.sampling.table,
    )

    def make() -> Template:
        generator = torch.Generator().manual_seed(VIRION_SEED)
        assembly = sars_cov_2(generator, ice_density_g_per_cm3=density, name=particle.name)
        logger.info(
            "building %s: stands for %.1f million atoms without hydrogen",
            particle.name,
            assembly.total_heavy_atoms() / 1e6,
        )
        if before is not None:
            before(spike, voxel_size)
        table = config.sampling.table
        template = render_template(
            spike, voxel_size, table=table, taper=taper, ice_density_g_per_cm3=density
        )
        names = {each.particle for each in assembly.copies()}
        return build_template(assembly, dict.fromkeys(names, template), voxel_size)

    return cached_template(key, make, _cache(config))


def _phantom(particle: ParticleConfig, voxel_size: float) -> Template:
    """Template of a random particle: as fast to make as to read from a cache."""
    wanted = particle.phantom
    shape = [max(2, round(nm_to_angstrom(side) / voxel_size)) for side in reversed(wanted.size_nm)]
    if max(shape) > MAX_PHANTOM:
        raise ValueError(
            f"particle {particle.name!r}: phantom.size_nm of {max(wanted.size_nm):g} nm has "
            f"{max(shape)} voxels along a side, at most {MAX_PHANTOM} are allowed"
        )
    values = random_map(
        (shape[0], shape[1], shape[2]),
        wanted.contrast,
        wanted.smoothness,
        positive=wanted.positive,
        generator=torch.Generator().manual_seed(wanted.seed),
    )
    # The ellipsoid's middle lies between voxels where their number is even.
    x, y, z = (((n - 1) / 2 - n // 2) * voxel_size for n in reversed(shape))
    return Template(values, voxel_size, max(shape) * voxel_size / 2, (x, y, z))


def _absorbing(template: Template, contrast: float) -> Template:
    """Let a fraction of a real template absorb."""
    if template.values.is_complex():
        return template
    return Template(
        absorbing(template.values, contrast), template.voxel_size, template.radius, template.center
    )


def _cache(config: SceneConfig) -> Path:
    return cache_folder() if config.cache is None else Path(config.cache).expanduser()
