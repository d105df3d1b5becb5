"""Whether what `difftem fit` is given exists: keys, classes, their arguments, values that fit.

`jsonargparse` reads it again and converts it; what is wrong is said here, from the signatures.
"""

import collections.abc
import importlib
import inspect
import typing
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.loggers import Logger
from torch import Tensor, nn

from difftem.cli.known_classes import known_classes
from difftem.cli.parsing import YAML
from difftem.io.yaml_file import parse_option
from difftem.simulation.settings import check_value, read_mapping
from difftem.simulation.suggestions import suggestion

_OF_CLASS = dict.fromkeys(("class_path", "init_args", "dict_kwargs"), Any)
_TOP: dict[str, Any] = {"config": Any, "seed_everything": bool | int, "trainer": Trainer}
_TOP |= {"model": LightningModule, "data": LightningDataModule, "optimizer": Any}
_CLASSES = (nn.Module, LightningDataModule, Callback, Logger)
_PLAIN = {Literal, bool, int, float, str, type(None), dict, list, tuple, Tensor}


def check_arguments(arguments: list[str]) -> None:
    """Refuse files and options that are not those of the classes they name.

    Parameters
    ----------
    arguments : list of str
        Subcommand and options.

    Raises
    ------
    ValueError
        In one line: the file, the key, and the nearest one that exists or what is allowed.
    """
    skipped = LightningCLI.subcommands()[arguments[0]] | {"self"}
    own = inspect.signature(getattr(Trainer, arguments[0])).parameters.keys() - skipped
    check, hints = _Check(), _TOP | dict.fromkeys(sorted({"lr_scheduler", *own}), Any)
    words, files = iter(arguments[1:]), []
    for word in words:
        name, equals, text = word.removeprefix("--").partition("=")
        if word == "-h" or name in ("help", "print_config") or name.endswith(".help"):
            return
        if word != "-c" and not word.startswith("--"):
            raise ValueError(f"unexpected {word!r}: options are --key value")
        text = text if equals else next(words, "--")
        if not equals and text.startswith("--"):
            raise ValueError(f"{word} needs a value")
        if name in ("-c", "config"):
            files.append(text)
            check.level(read_mapping(Path(text)), hints, "", Path(text))
        else:
            check.level(_nested(name, text), hints, "", None)
    if "model" not in check.classes:
        if files:
            where = ", ".join(files)
            raise ValueError(f"{where}: no model, which must have class_path and init_args")
        raise ValueError(
            "no model is configured: pass --config FILE.yaml with the sections model and data "
            "(class_path and init_args of each); experiments/mtf_recovery has examples"
        )
    needed = f"{'train' if arguments[0] == 'fit' else 'test'}_dataloader"
    given = getattr(check.classes["model"], needed, None)
    if "data" not in check.classes and given is getattr(LightningModule, needed):
        raise ValueError(
            f"no data are configured, and the model has no {needed}: give --data CLASS"
        )


class _Check:
    """Check of one mapping after the other, each from a file or from an option (None)."""

    def __init__(self) -> None:
        self.classes: dict[str, Any] = {}  # given so far, by the key where they stand

    def level(self, given: Any, hints: dict[str, Any], prefix: str, file: Path | None) -> None:
        """Check the keys of a mapping and their values."""
        where = "" if file is None else f"{file}: "
        if not isinstance(given, dict):
            raise ValueError(f"{where}{prefix[:-1]} must hold keys and values, got {given!r}")
        known = [f"{prefix}{name}" for name in hints]
        for name, value in given.items():
            key = f"{prefix}{name}"
            if key not in known:
                raise ValueError(f"{where}unknown key {key!r}{suggestion(key, known)}")
            self.value(value, hints[name], key, file)
            if key == "seed_everything" and not 0 <= int(value) < 2**32:
                raise ValueError(f"{where}{key} must be within 0 and 4294967295, got {value}")

    def value(self, given: Any, hint: Any, key: str, file: Path | None) -> None:
        """Check a value: that of a type, or a class and its arguments."""
        is_class = isinstance(given, dict) and "class_path" in given
        if hint is Any and (isinstance(given, str) or is_class):
            self.classes[key] = None  # one that jsonargparse looks for
        nameless = isinstance(given, dict) and given and given.keys() <= _OF_CLASS.keys()
        if nameless and key not in self.classes and "class_path" not in given:
            where = key if file is None else f"{file}: {key}"
            raise ValueError(f"{where} must hold class_path and init_args, got {given!r}")
        kinds = _kinds(hint)
        classes = tuple(k for k in kinds if isinstance(k, type) and issubclass(k, _CLASSES))
        if hint in (Trainer, *classes) and isinstance(given, str) and given.endswith(YAML):
            file = (Path() if file is None else file.parent) / given
            given = read_mapping(file)
        is_text = isinstance(given, str) and str not in kinds
        named = is_text or (isinstance(given, dict) and "class_path" in given)
        if hint is Trainer:
            self.level(given, _parameters(hint) or {}, f"{key}.", file)
        elif classes and isinstance(given, list):
            for i, each in enumerate(given):
                self.value(each, hint, f"{key}[{i}]", file)
        elif classes and (named or (hint in classes and given is not None)):
            self.instance(given, classes, key, file)
        elif kinds <= _PLAIN:
            if file is None and str in kinds and isinstance(given, int | float):
                given = str(given)  # an option is text, too
            check_value(hint, given, key if file is None else f"{file}: {key}")

    def instance(self, given: Any, bases: tuple[type, ...], key: str, file: Path | None) -> None:
        """Check a class and its arguments."""
        if isinstance(given, str):
            given = {"class_path": given}
        elif isinstance(given, dict) and file is None and not given.keys() & _OF_CLASS.keys():
            given = {"init_args": given}  # --data.n is short for --data.init_args.n
        self.level(given, _OF_CLASS, f"{key}.", file)
        where = key if file is None else f"{file}: {key}"
        if "class_path" in given:
            self.classes[key] = _load(str(given["class_path"]), bases, f"{where}.class_path")
        if key not in self.classes:
            raise ValueError(f"{where} must hold class_path and init_args, got {given!r}")
        hints = _parameters(self.classes[key])
        if hints is not None:
            self.level(given.get("init_args") or {}, hints, f"{key}.init_args.", file)


def _nested(name: str, text: str) -> dict[str, Any]:
    """Make of an option what a file would hold."""
    value = parse_option(name, text)
    if name.endswith("+") and not isinstance(value, list):
        value = [value]
    for part in reversed(name.removesuffix("+").split(".")):
        value = {part: value}
    return value


def _kinds(hint: Any) -> set[Any]:
    """Types that a hint is made of."""
    origin = typing.get_origin(hint)
    if origin in (Literal, type, collections.abc.Callable):
        return {origin}
    return set().union(*map(_kinds, typing.get_args(hint))) or {hint}


def _parameters(kind: Any) -> dict[str, Any] | None:
    """Parameters of a class with their types; None if it takes any."""
    parameters = inspect.signature(kind).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return None
    try:
        hints = typing.get_type_hints(kind.__init__)
    except NameError:  # imported for type checking only
        hints = {}
    return {name: hints.get(name, Any) for name in parameters}


def _load(path: str, bases: tuple[type, ...], where: str) -> Any:
    """Import a class that is one of these."""
    module, _, name = path.rpartition(".")
    try:
        # jsonargparse knows classes of Lightning by their names alone.
        module = module or bases[0].__module__.rpartition(".")[0]
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        known = [*known_classes(*bases)]
        more = suggestion(path, known) if known else ""
        if isinstance(error, ModuleNotFoundError) and error.name == path.partition(".")[0]:
            more = f": there is no {error.name}.py in the current folder, and no such package"
        raise ValueError(f"{where}: {error}{more}") from error
    if isinstance(found, type) and not issubclass(found, bases):
        raise ValueError(f"{where}: {path} is no {' or '.join(each.__name__ for each in bases)}")
    return found
