"""From the configuration of a particle to its template."""

from collections.abc import Callable
from pathlib import Path

import torch

from difftem.atoms import Atoms
from difftem.cli.scene.config import ParticleConfig, SceneConfig
from difftem.cli.simulate.microscope import ICE_AMPLITUDE_CONTRAST
from difftem.cli.simulate.specimen import locate
from difftem.data.examples import example_structure
from difftem.data.scene.virion import sars_cov_2
from difftem.data.structure import read_structure
from difftem.data.templates.cache import cache_folder, cached_template, content_key
from difftem.data.templates.nested import build_template
from difftem.data.templates.read import read_template
from difftem.data.templates.render import absorbing, render_template
from difftem.data.templates.template import Template
from difftem.modules import Beam

BUNDLED, VIRION = "apoferritin", "sars-cov-2"
MAPS = (".mrc", ".map")
VIRION_SEED = 0


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
    if particle.source not in (BUNDLED, VIRION) and not locate(particle.source, folders).exists():
        raise ValueError(
            f"particle {particle.name!r}: source {particle.source!r} is no file, nor one of "
            f"{BUNDLED}, {VIRION}"
        )
    if particle.source == VIRION:
        return _absorbing(_virion(particle, config, folders, say), contrast)
    if Path(particle.source.removesuffix(".gz")).suffix.lower() in MAPS:
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


def _absorbing(template: Template, contrast: float) -> Template:
    """Let a fraction of a real template absorb."""
    if template.values.is_complex():
        return template
    return Template(
        absorbing(template.values, contrast), template.voxel_size, template.radius, template.center
    )


def _cache(config: SceneConfig) -> Path:
    return cache_folder() if config.cache is None else Path(config.cache).expanduser()
