"""Command lines from dataclasses: YAML file, overrides, and errors of one line."""

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import (  # type: ignore[attr-defined]  # it exports lazily
    SUPPRESS,
    ActionConfigFile,
    ArgumentParser,
)

from difftem.cli.help_text import FieldFormatter
from difftem.io.yaml_file import parse_option
from difftem.simulation.alternatives import overruled, settled
from difftem.simulation.paths import Config, with_files
from difftem.simulation.settings import (
    OWN,
    check_settings,
    check_value,
    leaves,
    read_mapping,
)
from difftem.simulation.suggestions import suggestion

YAML = (".yaml", ".yml")
LIMIT = re.compile(r"^--memory-limit(?==|$)")  # as the other commands call it


@dataclass(frozen=True)
class OutputOptions:
    """What is not part of the configuration."""

    output: Path
    overwrite: bool


class OneLineParser(ArgumentParser):
    """Report a bad command line as one `ValueError`; explain fields in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Of the parsers of --FIELD.help, too, whose usage would list every option.
        given = {"formatter_class": FieldFormatter, "usage": SUPPRESS, **kwargs}
        super().__init__(*args, **given)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing usage and exiting."""
        raise ValueError(" ".join(message.split())) from ex


def parse(
    program: str,
    description: str,
    kind: type[Config],
    arguments: list[str],
    first: str = "CONFIG.yaml",
) -> tuple[Config, OutputOptions]:
    """Parse ``[CONFIG.yaml] --output DIR [--field.key value ...]`` into a dataclass.

    Parameters
    ----------
    program, description : str
        For ``--help``.
    kind : type
        Dataclass of the configuration; its docstrings become the help.
    arguments : list of str
        Command line without the program's name.
    first : str
        What the first word may be, for ``--help``.

    Returns
    -------
    tuple
        The configuration, its files by full paths, and the other options.

    Raises
    ------
    ValueError
        In one line, for an unknown key, a value of the wrong type or a missing file.
    """
    lists = _plain_lists(kind)
    parser = configuration_parser(program, description, kind, first)
    if arguments and not arguments[0].startswith("-"):
        arguments = ["--config", *arguments]
    arguments = [LIMIT.sub("--memory_limit_gb", word) for word in arguments]
    arguments = _files_first(arguments)
    files = [Path(v) for option, v in itertools.pairwise(arguments) if option == "--config"]
    levels: list[tuple[str, dict[str, Any]]] = []
    for file in files:
        content = read_mapping(file)
        fields = {name: value for name, value in content.items() if name not in OWN}
        check_settings(kind, fields, f"{file}: ")
        levels.append((f"{file}: ", fields))
    known = [action.dest for action in parser._actions]
    _check_options(arguments, kind, known)
    back = overruled(kind, [*levels, ("", _nested_options(arguments))])
    for section, values in back.items():
        for name, value in values.items():
            arguments = [*arguments, f"--{section}.{name}", "null" if value is None else str(value)]
    namespace = parser.parse_args(_emptied(arguments, lists))
    if namespace.output is None:
        raise ValueError("--output DIR is missing: the folder to write to")
    initialised: Any = parser.instantiate_classes(namespace)
    names = [each.name for each in dataclasses.fields(kind)]
    config = kind(**{name: initialised[name] for name in names})
    folders = [file.parent for file in files]
    options = OutputOptions(Path(namespace.output), namespace.overwrite)
    return settled(with_files(config, folders)), options


@functools.cache
def configuration_parser(
    program: str, description: str, kind: type[Any], first: str = "CONFIG.yaml"
) -> OneLineParser:
    """Parser of a command, its options from a dataclass."""
    parser = OneLineParser(
        prog=program,
        description=description,
        allow_abbrev=False,
    )
    parser.usage = f"{program} [{first}] --output DIR [--key value ...]"
    parser.add_argument(
        "--config",
        action=ActionConfigFile,
        help="YAML file, the same as CONFIG.yaml; several are merged, the last one wins",
    )
    parser.add_argument("--output", type=str | None, default=None, help="Folder to write to.")
    parser.add_argument(
        "--overwrite", action="store_true", help="Replace files of an existing output folder."
    )
    parser.add_class_arguments(kind, None)
    parser.set_defaults(_plain_lists(kind))
    return parser


def _files_first(arguments: list[str]) -> list[str]:
    """Put configurations before the options that override them."""
    words: list[str] = []
    for each in arguments:
        words += each.split("=", 1) if each.startswith("--config=") else [each]
    places = [i for i, word in enumerate(words[:-1]) if word == "--config"]
    files = [words[i + n] for i in places for n in (0, 1)]
    return files + [w for i, w in enumerate(words) if i not in places and i - 1 not in places]


def _nested_options(arguments: list[str]) -> dict[str, Any]:
    """Values of options in sections, as a file would have them."""
    values: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        name, equals, text = word.removeprefix("--").partition("=")
        section, _, field = name.partition(".")
        text = text if equals or name == "overwrite" else next(words, "")
        value = parse_option(name, text)
        if field:
            values.setdefault(section, {})[field] = value
        elif isinstance(value, dict):
            values.setdefault(section, {}).update(value)
    return values


def _check_options(arguments: list[str], kind: type[Any], known: list[str]) -> None:
    """Refuse unknown options, and values that do not fit their fields."""
    hints = dict(leaves(kind))
    values = iter(arguments)
    for word in values:
        if word == "-h":
            continue
        if not word.startswith("--"):
            if Path(word).suffix.lower() in YAML:
                raise ValueError(f"CONFIG.yaml must come first, found {word!r} later")
            raise ValueError(f"unexpected {word!r}: options are --key value")
        name, equals, value = word[2:].partition("=")
        appends = name.endswith("+")
        name = name.removesuffix("+")
        if name.removesuffix(".help") not in [*known, "print_config", *hints]:
            raise ValueError(f"unknown key {name!r}{suggestion(name, list(hints))}")
        if name in ("help", "print_config", "overwrite") or name.endswith(".help"):
            continue
        if not equals:
            value = next(values, "")
            if value.startswith("--") or not value:
                raise ValueError(f"--{name} needs a value")
        if name in hints and (not appends or value.lstrip().startswith("{")):
            _check_text(hints[name], f"[{value}]" if appends else value, name)


def _check_text(hint: Any, text: str, name: str) -> None:
    """Refuse the text of a value that does not fit its type."""
    value = parse_option(name, text)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if isinstance(value, str) and Path(value).is_file():
            value = read_mapping(Path(value))
        if not isinstance(value, dict):
            raise ValueError(f"{name} must hold keys and values, got {text!r}")
        check_settings(dataclasses.make_dataclass("Section", [(name, hint)]), {name: value})
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        check_settings(dataclasses.make_dataclass("List", [(name, hint)]), {name: value})
    else:
        check_value(hint, None if value is None else text, name, typed=value is not None)


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
