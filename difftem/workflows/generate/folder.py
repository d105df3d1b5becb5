"""The folder of a set: one configuration, one writer, and nothing left by a run that was killed."""

import dataclasses
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

import difftem
from difftem.io.claimed import claimed, is_temporary, remove_stale
from difftem.io.errors import input_error
from difftem.io.files import check_regular, replacing
from difftem.io.staged_folder import made_folder
from difftem.io.yaml_file import parse_yaml
from difftem.simulation.limits import flattened
from difftem.simulation.settings import plain
from difftem.workflows.generate.config import GenerateConfig
from difftem.workflows.generate.item import is_finished

SETTINGS = "generate.yaml"
OUTPUTS = (
    "particles.star",
    "micrographs.star",
    "tomograms.star",
    "particle_stacks.star",
    "coordinates.star",
    "topaz.txt",
    "summary.csv",
    "preview.png",
)
TILT_SERIES, TEMPLATES = "tilt_series", "templates"
# What may differ between runs into one folder: none of it changes an item.
FREE = {"micrographs", "devices", "num_nodes", "cache", "memory_limit_gb"}
_ITEM = re.compile(r"\d{6,}")


@contextmanager
def claimed_folder(
    path: Path, config: GenerateConfig, overwrite: bool, threads: int
) -> Iterator[GenerateConfig]:
    """Hold a folder for a set; if nothing gets made in a new one, it is gone again.

    Parameters
    ----------
    path : Path
        To make, or to go on with.
    config : GenerateConfig
        Of this run.
    overwrite : bool
        Remove what an earlier run made.
    threads : int
        Of each process, where neither the configuration nor the folder says.

    Yields
    ------
    GenerateConfig
        With the threads that all of the set is made with.

    Raises
    ------
    InputError
        If the folder is a file, holds other things or a set of another configuration, is in use
        or cannot be written.
    """
    stored = None if overwrite else _read_settings(path / SETTINGS)
    if stored is None and not overwrite and path.is_dir() and _foreign(path):
        raise input_error(
            path,
            f"is not empty and has no {SETTINGS}; choose another folder, or "
            "--overwrite (overwrite=True)",
        )
    if config.threads is None:
        found = (stored or {}).get("threads")
        config = dataclasses.replace(config, threads=found if isinstance(found, int) else threads)
    wanted = yaml.safe_load(yaml.safe_dump(plain(config)))
    if stored is not None:
        _compare(path, stored, wanted)
        wanted["micrographs"] = max(wanted["micrographs"], int(stored.get("micrographs", 0)))
    with made_folder(path), claimed(path):
        try:
            if overwrite:
                _remove_set(path)
            _write_settings(path / SETTINGS, wanted)
            yield config
        finally:
            remove_stale(path)
            if stored is None and not any(map(is_finished, *_items(path))):
                (path / SETTINGS).unlink(missing_ok=True)


def finished_items(path: Path) -> list[int]:
    """Numbers of the items that are there, in order."""
    return sorted(i for folder, i in zip(*_items(path), strict=True) if is_finished(folder, i))


def _items(path: Path) -> tuple[list[Path], list[int]]:
    """Folder and number of everything that is called like an item."""
    names = [each.name for each in path.iterdir() if each.is_dir()] if path.is_dir() else []
    numbers = [int(name) for name in names if _ITEM.fullmatch(name)]
    return [path] * len(numbers), numbers


def _foreign(path: Path) -> bool:
    """Whether a folder has more in it than a killed run leaves."""
    return not all(is_temporary(each.name) for each in path.iterdir())


def _read_settings(path: Path) -> dict[str, Any] | None:
    """Read the configuration of an earlier run, if there was one."""
    if not path.exists():
        return None
    try:
        content = parse_yaml(check_regular(path).read_text("utf-8"))
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise input_error(
            path, f"cannot be read ({error}); --overwrite (overwrite=True) starts anew"
        ) from error
    if not isinstance(content, dict):
        raise input_error(path, "holds no configuration; --overwrite (overwrite=True) starts anew")
    return content


def _write_settings(path: Path, values: dict[str, Any]) -> None:
    """Write a configuration that `difftem generate` reads."""
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(f"# difftem {difftem.__version__}\n{text}", encoding="utf-8")


def _compare(path: Path, stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise if a set would be made of two kinds of items, naming the first difference."""
    old, new = (
        dict(flattened({name: value for name, value in each.items() if name not in FREE}))
        for each in (stored, wanted)
    )
    for key in dict.fromkeys((*new, *old)):
        if old.get(key) != new.get(key):
            raise input_error(
                path,
                f"holds a set with {key} = {old.get(key)}, now it is {new.get(key)}; choose "
                "another folder, or --overwrite (overwrite=True) starts anew",
            )


def _remove_set(path: Path) -> None:
    """Remove what this command writes; what else is there stays."""
    for folder, number in zip(*_items(path), strict=True):
        if is_finished(folder, number):
            shutil.rmtree(folder / f"{number:06d}")
    for name in (TILT_SERIES, TEMPLATES):
        shutil.rmtree(path / name, ignore_errors=True)
    for name in (*OUTPUTS, SETTINGS):
        (path / name).unlink(missing_ok=True)
