"""Settings in files and arguments: keys that exist, values of the right type, files that are there.

`jsonargparse` converts the values; what is wrong with one is said here, from the types themselves.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from jsonargparse import ArgumentError, ArgumentParser

from difftem.io.errors import InputError, input_error
from difftem.io.files import check_regular
from difftem.io.yaml_file import parse_yaml
from difftem.simulation.alternatives import merged, overruled, settled
from difftem.simulation.paths import Config, with_files
from difftem.simulation.suggestions import RENAMED, suggestion

OWN = ("config", "output", "overwrite")  # of the commands, in what --print_config prints
_WORDS = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}


def configured(
    kind: type[Config],
    given: Config | Mapping[str, Any] | str | Path | None,
    settings: Mapping[str, Any],
    folders: Sequence[Path] = (),
) -> Config:
    """Make a configuration from a file or another one, and settings by name.

    Parameters
    ----------
    kind : type
        Dataclass of the configuration.
    given : dataclass or str or Path, optional
        To start from, also as a mapping; a YAML file by its path. Default: the defaults.
    settings : mapping
        Values by the name of their field, with that of its section before it where two sections
        have one of that name: ``defocus_um``, ``thickness_nm`` or ``ice_thickness_nm``.
    folders : sequence of Path
        Where files are looked for, beside the YAML file's own folder and the current one.

    Returns
    -------
    dataclass
        Of that kind, its files by full paths.

    Raises
    ------
    ValueError
        In one line, for an unknown name or a value of the wrong type.
    """
    values: dict[str, Any] = {}
    places = list(folders)
    if isinstance(given, str | Path):
        places.insert(0, Path(given).parent)
        values = read_mapping(Path(given))
        values = {name: value for name, value in values.items() if name not in OWN}
        check_settings(kind, values, f"{given}: ")
    elif isinstance(given, Mapping):
        values = dict(given)
    elif given is not None:
        values = dataclasses.asdict(given)
    names, hints = _flat_names(kind), typing.get_type_hints(kind)
    told: dict[str, Any] = {}
    for name, value in settings.items():
        if dataclasses.is_dataclass(hints.get(name)) and isinstance(value, Mapping):
            told[name] = {**told.get(name, {}), **plain(value)}
            continue
        if name not in names:
            keywords = {key: keyword for keyword, key in reversed(names.items())}
            listed = list(keywords.values())[::-1]
            raise ValueError(f"unknown setting {name!r}{suggestion(name, list(names), listed)}")
        *sections, field = names[name].split(".")
        place = told
        for section in sections:
            place = place.setdefault(section, {})
        place[field] = plain(value)
    where = f"{given}: " if isinstance(given, str | Path) else ""
    # Of a dataclass all values are there, those that were not given at their defaults.
    for level in (told, overruled(kind, [(where, values), ("", told)])):
        values = merged(kind, values, level)
    check_settings(kind, values)
    parser = _parser(kind)
    made: Any = parser.instantiate_classes(parser.parse_object(values))
    fields = dataclasses.fields(kind)
    return settled(with_files(kind(**{each.name: made[each.name] for each in fields}), places))


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
        content = parse_yaml(check_regular(path).read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a YAML file: {' '.join(str(error).split())}") from error
    except InputError:
        raise
    except ValueError as error:
        raise input_error(path, error) from error
    if not isinstance(content, dict):
        found = "nothing" if content is None else type(content).__name__
        raise ValueError(f"{path}: expected keys and values, got {found}")
    return content


def check_settings(kind: type[Any], values: Mapping[str, Any], where: str = "") -> None:
    """Refuse keys that a dataclass does not have, and values that do not fit their types.

    Parameters
    ----------
    kind : type
        Dataclass.
    values : mapping
        As YAML has it, sections in mappings of their own.
    where : str
        File with a colon, for messages.

    Raises
    ------
    ValueError
        In one line that names the key, and the nearest one that exists.
    """
    known = dict(leaves(kind))
    _check_level(kind, values, where, "", known)


def _check_level(
    kind: type[Any], values: Mapping[str, Any], where: str, prefix: str, known: Mapping[str, Any]
) -> None:
    """Check one mapping and those in it."""
    hints = typing.get_type_hints(kind)
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name not in hints:
            inner = [f"{key}.{each}" for each in value] if isinstance(value, Mapping) else []
            wrong = next((each for each in inner if each in RENAMED), key)
            raise ValueError(f"{where}unknown key {wrong!r}{suggestion(wrong, list(known))}")
        hint = hints[name]
        if dataclasses.is_dataclass(hint):
            if not isinstance(value, Mapping):
                raise ValueError(f"{where}{key} must hold keys and values, got {value!r}")
            _check_level(typing.cast(type, hint), value, where, f"{key}.", known)
        elif (item := _item(hint)) is not None and isinstance(value, list):
            inside = dict(leaves(item))
            for i, each in enumerate(value):
                if not isinstance(each, Mapping):
                    raise ValueError(f"{where}{key}[{i}] must hold keys and values, got {each!r}")
                _check_level(item, each, where, f"{key}[{i}].", inside)
        else:
            check_value(hint, value, f"{where}{key}")


def check_value(hint: Any, value: Any, key: str, typed: bool = False) -> None:
    """Refuse a value that does not fit a type.

    Parameters
    ----------
    hint : type
        Of the field.
    value
        As YAML has it.
    key : str
        For the message.
    typed : bool
        The value is text of a command line.

    Raises
    ------
    ValueError
        Saying what is expected and what was given.
    """
    wrong = ValueError(f"{key}: expected {in_words(hint)}, got {value!r}")
    if value is None and type(None) not in typing.get_args(hint):
        raise wrong
    parser = _value_parser(hint)
    try:
        if typed:
            parser.parse_args([f"--value={value}"])
        else:
            parser.parse_object({"value": value})
    except ArgumentError:
        raise wrong from None


@functools.cache  # making one takes longer than its use
def _parser(kind: type[Any]) -> ArgumentParser:
    """Parser of a dataclass."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, None)
    return parser


@functools.cache
def _value_parser(hint: Any) -> ArgumentParser:
    """Parser of one value."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--value", type=hint)
    return parser


def in_words(hint: Any) -> str:
    """Say what values a type has: 'a number or null'.

    Parameters
    ----------
    hint : type
        Of a field of a configuration.

    Returns
    -------
    str
        For a sentence.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(in_words(each) for each in arguments)
    if hint is type(None):
        return "null"
    if origin is tuple and Ellipsis not in arguments:
        return f"{len(arguments)} values, each {in_words(arguments[0])}"
    if origin in (tuple, list, Sequence, Collection):
        if dataclasses.is_dataclass(arguments[0]):
            return "a list of keys and values"
        words = in_words(arguments[0])
        if typing.get_origin(arguments[0]) is Literal:
            return f"a list such as [{typing.get_args(arguments[0])[0]}], each item {words}"
        return f"a list, each item {words}"
    if origin is dict:
        return f"keys and values, each value {in_words(arguments[1])}"
    if dataclasses.is_dataclass(hint):
        return "keys and values"
    return _WORDS.get(hint, hint.__name__ if isinstance(hint, type) else str(hint))


def leaves(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """List the fields of a dataclass and of its sections with their types, under dotted keys."""
    for name, hint in typing.get_type_hints(kind).items():
        yield f"{prefix}{name}", hint
        if dataclasses.is_dataclass(hint):
            yield from leaves(typing.cast(type, hint), f"{prefix}{name}.")


def _item(hint: Any) -> type[Any] | None:
    """Dataclass of the items of a list."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is list and dataclasses.is_dataclass(arguments[0]):
        return typing.cast(type, arguments[0])
    return None


def _flat_names(kind: type[Any]) -> dict[str, str]:
    """Dotted key of every name that stands for one: a field's alone, or after its section's."""
    keys = [key for key, hint in leaves(kind) if not dataclasses.is_dataclass(hint)]
    # A range has its section's name before it: the name alone is that of the value.
    plain = [key for key in keys if not key.startswith("variation.")]
    short = [key.rsplit(".", 1)[-1] for key in plain]
    hints = typing.get_type_hints(kind)
    sections = {name for name, hint in hints.items() if dataclasses.is_dataclass(hint)}
    once = {name for name in short if short.count(name) == 1} - sections
    alone = {n: k for n, k in zip(short, plain, strict=True) if n in once}
    return alone | {key.replace(".", "_"): key for key in keys}


def plain(value: Any) -> Any:
    """Turn paths, arrays, tuples and dataclasses into what YAML has."""
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple | range) else value
