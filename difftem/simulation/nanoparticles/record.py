"""The recipe of a set, beside it."""

from pathlib import Path
from typing import Any

import yaml

from difftem.io.errors import input_error
from difftem.io.files import check_regular, replacing
from difftem.simulation.limits import flattened
from difftem.simulation.nanoparticles.config import VERSION, NanoparticleSetConfig
from difftem.simulation.settings import configured, plain, read_mapping

SETTINGS = "nanoparticles.yaml"
KEY = "nanoparticles"
_VERSION = "version"


def write_record(folder: Path, config: NanoparticleSetConfig) -> None:
    """Write a recipe as `difftem generate` reads it."""
    text = yaml.safe_dump({KEY: plain(config)}, sort_keys=False)
    with replacing(folder / SETTINGS, overwrite=True) as temporary:
        temporary.write_text(f"# {_VERSION} {VERSION}\n{text}", encoding="utf-8")


def read_record(folder: Path) -> NanoparticleSetConfig:
    """Read the recipe of a set.

    Parameters
    ----------
    folder : Path
        Of the set.

    Returns
    -------
    NanoparticleSetConfig
        The recipe.

    Raises
    ------
    InputError
        If the folder holds no set, or one of another version of difftem.
    """
    path = folder / SETTINGS
    if not folder.is_dir():
        raise input_error(folder, "no such folder")
    if not path.exists():
        raise input_error(folder, f"holds no {SETTINGS}: it is no set of nanoparticles")
    first = check_regular(path).read_text("utf-8").partition("\n")[0]
    if first != f"# {_VERSION} {VERSION}":
        raise input_error(
            path,
            f"is of a set that is made another way (first line {first[:40]!r}, expected "
            f"'# {_VERSION} {VERSION}'); make it again",
        )
    content = read_mapping(path)
    try:
        return configured(NanoparticleSetConfig, content.get(KEY, {}), {})
    except (TypeError, ValueError) as error:
        raise input_error(path, error) from error


def check_same(folder: Path, theirs: NanoparticleSetConfig, ours: NanoparticleSetConfig) -> None:
    """Refuse to go on with a set of another recipe; the number of models may differ.

    Parameters
    ----------
    folder : Path
        For the message.
    theirs, ours : NanoparticleSetConfig
        What is there, and what is wanted.

    Raises
    ------
    InputError
        Naming the first difference.
    """
    old, new = (_flat(each) for each in (theirs, ours))
    for key in dict.fromkeys((*new, *old)):
        if old.get(key) != new.get(key):
            raise input_error(
                folder,
                f"holds a set with {KEY}.{key} = {old.get(key)}, now it is {new.get(key)}; choose "
                "another folder, or --overwrite (overwrite=True) starts anew",
            )


def _flat(config: NanoparticleSetConfig) -> dict[str, Any]:
    """List settings by dotted names, without the number of models."""
    settings = yaml.safe_load(yaml.safe_dump(plain(config)))
    del settings["n_models"]
    return dict(flattened(settings))
