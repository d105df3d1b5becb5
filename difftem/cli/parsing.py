"""Command lines from dataclasses: YAML file, overrides, and errors of one line."""

import dataclasses
import difflib
import inspect
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

# mypy does not see through its lazy exports.
from jsonargparse import (  # type: ignore[attr-defined]
    ActionConfigFile,
    ArgumentParser,
    DefaultHelpFormatter,
)

Config = TypeVar("Config")


@dataclass(frozen=True)
class Options:
    """What is not part of the configuration."""

    output: str
    overwrite: bool
    folders: list[Path]  # where relative paths of the configuration are looked for


class ParagraphFormatter(DefaultHelpFormatter):
    """Keep a description's paragraphs apart, and indented ones as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        parts = text.split("\n\n")
        return "\n\n".join(p if p.startswith(" ") else fill(p, width, indent) for p in parts)


class OneLineParser(ArgumentParser):
    """Report a bad command line as one `ValueError` that names the nearest key."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing usage and exiting."""
        raise ValueError(one_line(message, self._known_keys())) from ex

    def _known_keys(self) -> list[str]:
        return [action.dest for action in self._actions if action.dest != "help"]


def parse(
    program: str, description: str, kind: type[Config], arguments: list[str]
) -> tuple[Config, Options]:
    """Parse ``[CONFIG.yaml] --output DIR [--field.key value ...]`` into a dataclass.

    Parameters
    ----------
    program, description : str
        For ``--help``.
    kind : type
        Dataclass of the configuration; its docstrings become the help.
    arguments : list of str
        Command line without the program's name.

    Returns
    -------
    tuple
        The configuration and the other options.

    Raises
    ------
    ValueError
        In one line, for an unknown key, a value of the wrong type or a missing file.
    """
    parser = OneLineParser(
        prog=program,
        description=description,
        allow_abbrev=False,
        formatter_class=ParagraphFormatter,
    )
    parser.usage = f"{program} [CONFIG.yaml] --output DIR [--key value ...]"
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file, same as CONFIG.yaml")
    parser.add_argument("--output", type=str | None, default=None, help="folder to write to")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files of an existing output folder"
    )
    parser.add_class_arguments(kind, None)
    lists = _plain_lists(kind)
    parser.set_defaults(lists)
    if arguments and not arguments[0].startswith("-"):
        arguments = ["--config", *arguments]
    for option, value in itertools.pairwise(arguments):
        if option == "--config":
            _check_fields(Path(value), kind)
    namespace = parser.parse_args(_emptied(arguments, lists))
    if namespace.output is None:
        raise ValueError("--output DIR is missing: the folder to write to")
    files = [Path(str(each)) for each in namespace.config or []]
    initialised: Any = parser.instantiate_classes(namespace)
    values = {name: initialised[name] for name in inspect.signature(kind).parameters}
    folders = [file.parent for file in files] + [Path()]
    return kind(**values), Options(namespace.output, namespace.overwrite, folders)


def _plain_lists(kind: type[Any]) -> dict[str, Any]:
    """Defaults that are lists of dataclasses, as mappings: --print_config knows no others.

    In tuples, because jsonargparse fills the gaps of a list's items from an equally long list.
    """
    made = {
        field.name: field.default_factory()
        for field in dataclasses.fields(kind)
        if field.default_factory is not dataclasses.MISSING
    }
    return {
        name: tuple(dataclasses.asdict(each) for each in value)
        for name, value in made.items()
        if isinstance(value, list) and value and dataclasses.is_dataclass(value[0])
    }


def _emptied(arguments: list[str], lists: Iterable[str]) -> list[str]:
    """Empty each list before it is given: it replaces that of a file, gaps and all."""
    options = {f"--{name}" for name in lists}
    return [
        part
        for each in arguments
        for part in ([f"{each.partition('=')[0]}=[]"] if each.partition("=")[0] in options else [])
        + [each]
    ]


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds keys and values.

    Parameters
    ----------
    path : Path
        File.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    ValueError
        In one line that names the file, if it is missing, or no YAML mapping.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a YAML file: {error}") from error
    if not isinstance(content, dict):
        found = "nothing" if content is None else type(content).__name__
        raise ValueError(f"{path}: expected keys and values, got {found}")
    return content


def _check_fields(path: Path, kind: type[Any]) -> None:
    """Refuse a configuration with a value where a dataclass has fields, naming the file."""
    content = read_mapping(path)
    for field in dataclasses.fields(kind):
        value = content.get(field.name, {})
        if dataclasses.is_dataclass(field.default_factory) and not isinstance(value, dict):
            raise ValueError(f"{path}: {field.name} must hold keys and values, got {value!r}")


def one_line(message: str, known: list[str]) -> str:
    """Flatten a message of jsonargparse and suggest a key where one is unknown.

    Parameters
    ----------
    message : str
        Of jsonargparse.
    known : list of str
        Keys with dots.

    Returns
    -------
    str
        What is wrong.
    """
    text = " ".join(message.split())
    key = re.search(r'Parser key "([^"]+)": (.*)', text)
    if key:
        text = f"{key[1]}: {_first_cause(key[2])}"
    unknown = re.search(r"Group '([^']+)' does not accept option '([^']+)'", text)
    if unknown:
        wrong = f"{unknown[1]}.{unknown[2]}"
    else:
        option = re.search(r"(?:[Uu]nrecognized arguments?: --|Key '|[Oo]ption ')([\w.]+)", text)
        if option is None:
            stray = re.fullmatch(r"unrecognized arguments: (\S+\.ya?ml)", text)
            return f"CONFIG.yaml must come first, found {stray[1]!r} later" if stray else text
        wrong = option[1]
    nearest = difflib.get_close_matches(wrong, known, n=1, cutoff=0.5)
    by_leaf = {name.rsplit(".", 1)[-1]: name for name in known}
    if not nearest:
        leaves = difflib.get_close_matches(wrong.rsplit(".", 1)[-1], by_leaf, n=1, cutoff=0.6)
        nearest = [by_leaf[leaf] for leaf in leaves]
    hint = f"; did you mean {nearest[0]!r}?" if nearest else f"; known keys: {', '.join(known)}"
    return f"unknown key {wrong!r}{hint}"


def _first_cause(text: str) -> str:
    """Shorten the list of what a value is not to what it should be."""
    types = re.findall(r"Expected an? ([^.]*?)\.? (?:Got|-|Given)", text)
    value = re.search(r"(?:Got value|Given value): (.*)$", text)
    if not types or value is None:
        return text
    names = [re.sub(r"<class '(\w+)'>", r"\1", each).replace("typing.", "") for each in types]
    names = ["null" if name == "NoneType" else name for name in names]
    return f"expected {' or '.join(dict.fromkeys(names))}, got {value[1]!r}"
