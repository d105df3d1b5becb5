"""What is wrong with a configuration of `difftem fit`: file, key, and the nearest known one."""

import importlib
import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer

from difftem.cli.parsing import one_line, read_mapping

_TOP = ("config", "seed_everything", "trainer", "model", "data", "ckpt_path", "verbose")
_OPTIONS = ("-c", "--config")


def configurations(arguments: list[str]) -> list[Path]:
    """Files of ``--config``, in the order of a command line.

    Parameters
    ----------
    arguments : list of str
        Command line.

    Returns
    -------
    list of Path
        They need not exist.
    """
    apart = [Path(value) for option, value in itertools.pairwise(arguments) if option in _OPTIONS]
    joined = [Path(each.partition("=")[2]) for each in arguments if each.startswith("--config=")]
    return apart + joined


def check_configurations(arguments: list[str]) -> None:
    """Refuse configurations that are no YAML mapping.

    Parameters
    ----------
    arguments : list of str
        Command line.

    Raises
    ------
    ValueError
        In one line that names the file.
    """
    for path in configurations(arguments):
        read_mapping(path)


def first_cause(message: str) -> tuple[str, str]:
    """Take what is wrong out of jsonargparse's list of all that a value is not.

    Parameters
    ----------
    message : str
        Any.

    Returns
    -------
    where, cause : str
        Key with a colon behind it, or nothing; one line.
    """
    text = " ".join(message.split())
    inner = re.search(r"Errors: - (.*?) - Expected a <class 'NoneType'>", text)
    if inner is None:
        return "", text
    outer = re.match(r'Parser key "([^"]+)"', text)
    return f"{outer[1]}: " if outer else "", inner[1]


def explain(message: str, arguments: list[str]) -> str:
    """Say in one line what jsonargparse means.

    Parameters
    ----------
    message : str
        Of jsonargparse, with ``fit.model`` or ``Option 'gian' is not accepted`` in it.
    arguments : list of str
        Command line.

    Returns
    -------
    str
        The file that holds an unknown key, and the nearest known one.
    """
    contents = {path: read_mapping(path) for path in configurations(arguments)}
    where, text = first_cause(message)
    if re.search(r"arguments are required: \w+\.model$", text):
        files = ", ".join(map(str, contents)) or "without --config FILE.yaml"
        return f"{files}: no model, which must have class_path and init_args"
    if nested := re.search(r"Option '([\w.]+)' is not accepted", text):
        known = sorted(set(_parameters([*contents.values(), _values(arguments)])))
        return _named(where + one_line(f"Option '{nested[1]}'", known), nested[1], contents)
    if top := re.match(r"Subcommand '\w+' does not accept option '([\w.]+)'", text):
        first = top[1].split(".")[0]
        return _named(one_line(f"Option '{first}'", [*_TOP]), first, contents)
    if kind := re.search(r"given class_path '([\w.]+)'", text):
        return _named(where + text, kind[1], contents)
    if "Subclass types expect one of" in text:
        text = text.partition(" Subclass types expect one of")[0] + ": give class_path, init_args"
        return _named(where + text, where.rstrip(": "), contents)
    return where + one_line(text, [*_TOP, *_trainer()])


def _named(line: str, word: str, contents: dict[Path, dict[str, Any]]) -> str:
    """Put the last file with a key, or with a class, before a line."""
    holders = [path for path, content in contents.items() if word in _words(content)]
    return f"{holders[-1]}: {line}" if holders else line


def _words(value: Any) -> set[str]:
    """Keys and texts at all levels."""
    if isinstance(value, dict):
        return {str(key) for key in value}.union(*map(_words, value.values()))
    if isinstance(value, list):
        return set().union(*map(_words, value))
    return {value} if isinstance(value, str) else set()


def _trainer() -> list[str]:
    """Options of the Trainer."""
    return [f"trainer.{name}" for name in inspect.signature(Trainer.__init__).parameters][1:]


def _values(arguments: list[str]) -> list[Any]:
    """Words of a command line that may name a class."""
    return [{"class_path": each.rpartition("=")[2]} for each in arguments]


def _parameters(value: Any) -> Iterator[str]:
    """Names of the parameters of all classes that a value names."""
    if isinstance(value, list):
        for each in value:
            yield from _parameters(each)
    elif isinstance(value, dict):
        module, _, name = str(value.get("class_path", "")).rpartition(".")
        if re.fullmatch(r"difftem(\.\w+)*", module):
            kind = getattr(importlib.import_module(module), name, None)
            yield from inspect.signature(kind).parameters if isinstance(kind, type) else ()
        for each in value.values():
            yield from _parameters(each)
