"""Names of files in a configuration, found once."""

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from difftem.io.errors import InputError

# Four characters, the first of them a digit: PDB identifiers.
_PDB_ENTRY = re.compile(r"([1-9][A-Za-z0-9]{3})(\.(cif|pdb|ent)(\.gz)?)?$")


class AnyConfig(Protocol):
    """What every dataclass is."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Config = TypeVar("Config", bound=AnyConfig)


def with_files(config: Config, folders: Sequence[Path] = (), key: str = "") -> Config:
    """Replace names of files by full paths.

    Parameters
    ----------
    config : dataclass
        Its fields with metadata ``file`` are looked up, at any depth; words listed there stay.
    folders : sequence of Path
        Where relative names are looked for, before the current folder.
    key : str
        Dotted name of the configuration, for messages.

    Returns
    -------
    dataclass
        Of the same type.

    Raises
    ------
    InputError
        For a file that is nowhere, naming it and its key.
    """
    found: dict[str, Any] = {}
    for each in dataclasses.fields(config):
        value, name = getattr(config, each.name), f"{key}.{each.name}" if key else each.name
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            found[each.name] = with_files(value, folders, name)
        elif isinstance(value, list) and value and dataclasses.is_dataclass(value[0]):
            items = enumerate(value)
            found[each.name] = [with_files(item, folders, f"{name}[{i}]") for i, item in items]
        elif "file" in each.metadata and value not in (None, *each.metadata["file"]):
            found[each.name] = _locate(value, folders, name, each.metadata["file"])
    return dataclasses.replace(config, **found)


def _locate(name: str, folders: Sequence[Path], key: str, instead: Sequence[str]) -> str:
    """First of the folders that has the file."""
    path = Path(name).expanduser()
    for folder in (*folders, Path()):
        if (folder / path).exists():
            return os.path.abspath(folder / path)
    words = f", nor one of {', '.join(instead)}" if instead else ""
    entry = _PDB_ENTRY.match(path.name) if key.endswith(("source", "parts")) else None
    if entry:  # the PDB has files of these names, in capitals as well, but for .ent
        file = entry[0] if entry[3] in ("cif", "pdb") else f"{entry[1].lower()}.cif.gz"
        words += f"; PDB entry {entry[1].upper()} is at https://files.rcsb.org/download/{file}"
    raise InputError(f"{name}: no such file ({key}){words}")
