"""`difftem generate`: scenes of many particles, any number of micrographs, resumable."""

import sys
from pathlib import Path

from difftem.cli.generate_nanoparticles import generate_nanoparticle_images, is_of_nanoparticles
from difftem.cli.parsing import YAML, OneLineParser, configuration_parser, parse
from difftem.io.account import counted
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.folder import finished_items
from difftem.workflows.generate.micrograph_set import generate

DESCRIPTION = """Generate micrographs of scenes of many particles, with their truth.

CONFIG is a YAML file. Default: micrographs of apoferritin. Every field can be overridden on
the command line (--ice.thickness_nm 60), and --print_config writes a complete file to start from.
--particles.help says what a particle can have. Units are in the names and below; coordinates are
Å, angles degrees.

  particles:
    - {name: apoferritin, source: apoferritin, count: 40}
    - {name: ribosome, source: 4v6x.cif.gz, micromolar: 0.2}
  sampling: {size: [1024, 1024], pixel_size: 2.0}
  variation: {defocus_um: [0.8, 2.5]}
  micrographs: 100
  devices: 8

Writes a folder 000000, 000001, ... for each micrograph: micrograph_000000.mrc, noise_free.mrc,
labels.mrc (float32; .mrcs for tilt series), particles.csv and RELION's particles.star and
micrographs.star, or tomograms.star (where every particle is seen, and with what optics), run.json,
preview.png; tilt series have .rawtlt, .tlt, .xf and .mdoc, too. --truth.pickers and its like ask
for more: coordinates for pickers, particle stacks, numbered labels, volumes. Above them are those
tables of the whole set, generate.yaml, summary.csv, preview.png and the particles' templates as MRC
volumes that lie over their structure files. A run that was interrupted goes on where it was when
the same command is given again; a larger number of micrographs extends the set.

A CONFIG with the key nanoparticles makes images of Pt particles on CeO2 at atomic resolution
instead; difftem generate --nanoparticles.help explains it."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem generate``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    first = arguments[0] if arguments else "-"
    if not first.startswith("-") and Path(first).suffix.lower() not in YAML:
        raise ValueError(
            f"{first}: expected a scene (.yaml), whose particles name structures and maps as their "
            "source; difftem simulate takes a structure itself"
        )
    if is_of_nanoparticles(arguments):
        generate_nanoparticle_images(arguments)
        return
    config, options = parse("difftem generate", DESCRIPTION, GenerateConfig, arguments)
    try:
        made = generate(options.output, config=config, overwrite=options.overwrite)
    except KeyboardInterrupt:
        done = len(finished_items(options.output))
        print(
            f"difftem: error: interrupted, {options.output} has {done} of {config.micrographs} "
            "micrographs; the same command makes the others",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    if made.items:  # which only the first of several processes looks after
        each = (
            f"{made.made} made in {made.seconds / made.made:.2f} s each"
            if made.made
            else "none made"
        )
        print(f"wrote {made.folder}: {counted(len(made.items), 'micrograph')}, {each}")


def _parser() -> OneLineParser:
    """Make the parser of scenes."""
    return configuration_parser("difftem generate", DESCRIPTION, GenerateConfig)
