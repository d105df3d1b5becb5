"""`difftem generate` of a configuration with the key `nanoparticles`."""

import itertools
import sys
from pathlib import Path

from difftem.cli.parsing import YAML, parse
from difftem.io.account import counted
from difftem.simulation.settings import read_mapping
from difftem.workflows.generate.nanoparticles import (
    GenerateNanoparticlesConfig,
    generate_nanoparticles,
)

KEY = "nanoparticles"
DESCRIPTION = """Generate images of Pt particles on CeO2 at atomic resolution, with their truth.

CONFIG is a YAML file with the key nanoparticles:

  nanoparticles:
    n_models: 300
    models: {diameter: [10, 30], thickness: [30, 60]}
    imaging: {defocus_um: [-0.02, 0.0], n_defocus: 4}

Writes images.zarr (intensity - 1, float16; an image is a chunk), manifest.csv (a line for each
image with every number that was drawn), columns/000000.csv ... (columns of atoms of each model, in
pixels) and nanoparticles.yaml, which makes the set again. A run that was interrupted goes on where
it was when the same command is given again; a larger number of models extends the set. Images have
no noise: doses are drawn where they are used."""


def is_of_nanoparticles(arguments: list[str]) -> bool:
    """Whether a command line of `difftem generate` asks for images of nanoparticles."""
    if any(each.startswith(f"--{KEY}") for each in arguments):
        return True
    first = arguments[0] if arguments else ""
    words = [first, *(b for a, b in itertools.pairwise(arguments) if a == "--config")]
    words += [each.partition("=")[2] for each in arguments if each.startswith("--config=")]
    files = [Path(each) for each in words if Path(each).suffix.lower() in YAML]
    return any(KEY in read_mapping(each) for each in files)


def generate_nanoparticle_images(arguments: list[str]) -> None:
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
    config, options = parse("difftem generate", DESCRIPTION, GenerateNanoparticlesConfig, arguments)
    try:
        made = generate_nanoparticles(options.output, config=config, overwrite=options.overwrite)
    except KeyboardInterrupt:
        print(
            f"difftem: error: interrupted; the same command makes what {options.output} lacks of "
            f"{counted(config.nanoparticles.n_models, 'model')}",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    print(made.summary())
