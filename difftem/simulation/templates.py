"""From the configuration of a particle to its template."""

from collections.abc import Callable
from pathlib import Path

import torch

from difftem.atoms import Atoms
from difftem.functional.phantom import random_map
from difftem.io.examples import example_structure
from difftem.io.structure import read_structure
from difftem.modules import Beam
from difftem.scene.templates.cache import cache_folder, cached_template, content_key
from difftem.scene.templates.nested import build_template
from difftem.scene.templates.read import read_template
from difftem.scene.templates.render import absorbing, render_template
from difftem.scene.templates.template import Template
from difftem.scene.virion import sars_cov_2
from difftem.simulation.microscope import ICE_AMPLITUDE_CONTRAST
from difftem.simulation.particle import locate
from difftem.simulation.scene_config import ParticleConfig, SceneConfig
from difftem.simulation.scene_fields import BUNDLED, PHANTOM, VIRION, source_kind
from difftem.units import nm_to_angstrom

VIRION_SEED = 0
MAX_PHANTOM = 384  # voxels: some 2 GB while it is made


def make_template(
    particle: ParticleConfig,
    config: SceneConfig,
    folders: list[Path],
    say: Callable[[str], None],
) -> Template:
    """Template of one particle at the field's pixel size, from the cache if it is there.

    Parameters
    ----------
    particle : ParticleConfig
        Which.
    config : SceneConfig
        Its sampling, microscope and cache are used.
    folders : list of Path
        Where to look for relative paths.
    say : callable
        Told what happens in one line.

    Returns
    -------
    Template
        Complex, with absorption.

    Raises
    ------
    ValueError
        For a file that cannot be read or an option that does not fit.
    """
    contrast = config.microscope.amplitude_contrast
    contrast = ICE_AMPLITUDE_CONTRAST if contrast is None else contrast
    if not 0 <= contrast < 1:
        raise ValueError(f"microscope.amplitude_contrast must be in [0, 1), got {contrast}")
    built = (BUNDLED, VIRION, PHANTOM)
    if particle.source not in built and not locate(particle.source, folders).exists():
        raise ValueError(
            f"particle {particle.name!r}: source {particle.source!r} is no file, nor one of "
            f"{', '.join(built)}"
        )
    if particle.source == VIRION:
        return _absorbing(_virion(particle, config, folders, say), contrast)
    if particle.source == PHANTOM:
        return _absorbing(_phantom(particle, config.sampling.pixel_size), contrast)
    if source_kind(particle.source) == "a map":
        return _absorbing(
            read_template(locate(particle.source, folders), particle.voxel_size), contrast
        )
    atoms = _read_atoms(particle, particle.source, folders)
    if particle.solvent == "floor":
        return _rendered(atoms, particle, config, 0.0, say)
    return _rendered(atoms, particle, config, contrast, say)


def _read_atoms(particle: ParticleConfig, source: str, folders: list[Path]) -> Atoms:
    """Atoms of a structure, the middle of their box at the origin."""
    path = example_structure() if source == BUNDLED else locate(source, folders)
    atoms = read_structure(
        path, assembly=particle.assembly, hydrogens=particle.hydrogens, waters=False
    )
    return atoms.centered()


def _rendered(
    atoms: Atoms,
    particle: ParticleConfig,
    config: SceneConfig,
    contrast: float,
    say: Callable[[str], None],
) -> Template:
    """Template of atoms, kept in the cache."""
    pixel_size = config.sampling.pixel_size
    voltage = config.microscope.voltage_kv if particle.solvent == "floor" else None
    key = content_key(
        atoms, voxel_size=pixel_size, solvent=particle.solvent, contrast=contrast, voltage=voltage
    )

    def make() -> Template:
        energy = None if voltage is None else Beam(voltage).energy
        say(f"rendering {particle.name}: {len(atoms)} atoms")
        return render_template(
            atoms,
            pixel_size,
            solvent=particle.solvent,
            amplitude_contrast=contrast,
            energy=energy,
        )

    return cached_template(key, make, _cache(config), say)


def _virion(
    particle: ParticleConfig,
    config: SceneConfig,
    folders: list[Path],
    say: Callable[[str], None],
) -> Template:
    """Template of a SARS-CoV-2-like virion."""
    if particle.parts is None:
        raise ValueError(
            f"particle {particle.name!r}: source {VIRION!r} needs the structure of its spike in "
            "'parts', such as 6vxx.pdb"
        )
    if particle.solvent != "displaced":
        raise ValueError(f"particle {particle.name!r}: {VIRION!r} knows solvent 'displaced' only")
    spike = _read_atoms(particle, particle.parts, folders)
    pixel_size = config.sampling.pixel_size
    key = content_key(spike, voxel_size=pixel_size, virion=VIRION, seed=VIRION_SEED)

    def make() -> Template:
        assembly = sars_cov_2(torch.Generator().manual_seed(VIRION_SEED), name=particle.name)
        say(
            f"building {particle.name}: stands for {assembly.total_heavy_atoms() / 1e6:.1f} "
            "million atoms without hydrogen"
        )
        template = render_template(spike, pixel_size)
        names = {each.particle for each in assembly.copies()}
        return build_template(assembly, dict.fromkeys(names, template), pixel_size)

    return cached_template(key, make, _cache(config), say)


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
