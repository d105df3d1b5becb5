"""Where a run keeps its files when a user says so: loggers follow the Trainer's folder."""

from pathlib import Path
from typing import Any

from difftem.simulation.settings import read_mapping

_ROOT = "trainer.default_root_dir"


def given_root(arguments: list[str]) -> str | None:
    """Find a folder that was given after the loggers were.

    A later configuration overrules an earlier one, and options overrule configurations. Where
    one file has both ``trainer.default_root_dir`` and ``trainer.logger``, the logger's own folder
    is the closer word.

    Parameters
    ----------
    arguments : list of str
        Subcommand and options, as `fit_arguments.check_arguments` lets them pass.

    Returns
    -------
    str or None
        Value of ``trainer.default_root_dir`` that the loggers' folders must give way to.
    """
    files: list[Path] = []
    options: dict[str, str] = {}
    words = iter(arguments[1:])
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        value = value if equals else next(words, "")
        if name in ("-c", "config"):
            files.append(Path(value))
        else:
            options[name] = value
    given = [k + v for k, v in options.items() if k.startswith("trainer.logger")]
    if any("save_dir" in each for each in given):
        return None
    root = None
    for file in files:
        trainer = read_mapping(file).get("trainer") or {}
        if isinstance(trainer, str):
            trainer = read_mapping(file.parent / trainer)
        if trainer.get("logger"):
            root = None
        elif trainer.get("default_root_dir"):
            root = str(trainer["default_root_dir"])
    return options.get(_ROOT, root)


def move_loggers(loggers: Any, root: str) -> None:
    """Let loggers write under a folder.

    Parameters
    ----------
    loggers : Namespace, list of Namespace, bool or None
        ``trainer.logger`` of a parsed configuration, changed in place.
    root : str
        Folder.
    """
    for each in loggers if isinstance(loggers, list) else [loggers]:
        arguments = getattr(each, "init_args", None)
        if arguments is not None and "save_dir" in arguments:
            arguments["save_dir"] = root
