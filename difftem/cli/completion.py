"""`difftem completion`: a script by which a shell completes commands, options and values."""

import argparse
import copy
import importlib
import types
import typing
from argparse import Action, ArgumentParser
from pathlib import Path
from typing import Any, Literal

from difftem.cli.commands import COMMANDS
from difftem.cli.one_line_parser import OneLineArgumentParser
from difftem.cli.parsing import OneLineParser
from difftem.workflows.explain.topics import TOPICS

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
DESCRIPTION = """Print a script that lets your shell complete commands, options and their values.

  difftem completion bash > ~/.local/share/bash-completion/completions/difftem
  difftem completion zsh > ~/.zfunc/_difftem        with fpath+=~/.zfunc before compinit
  difftem completion fish > ~/.config/fish/completions/difftem.fish

It is written once: the shell then completes without starting difftem. Write it again after an
update."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem completion``.

    Raises
    ------
    ValueError
        For an unknown shell, in one line.
    """
    print(completion(_parser().parse_args(arguments).shell))


def completion(shell: str) -> str:
    """Write the script of a shell.

    Parameters
    ----------
    shell : str
        One of `SHELLS`.

    Returns
    -------
    str
        For all commands.
    """
    import shtab

    root = ArgumentParser(prog="difftem", allow_abbrev=False)
    root.add_argument("--version", action="store_true", help="version of difftem")
    commands = root.add_subparsers()
    for name, command in COMMANDS.items():
        parser = importlib.import_module(command.module)._parser()
        made = commands.add_parser(name, help=command.what, add_help=False, allow_abbrev=False)
        if isinstance(parser, OneLineParser):  # its first word is an option, see `parse`
            first = made.add_argument("first", nargs="?", help="file to begin with")
            first.complete = shtab.FILE  # type: ignore[attr-defined]  # which shtab reads
        for action in parser._actions:
            if action.help != argparse.SUPPRESS:
                made._add_action(_completed(copy.copy(action)))
    script: str = shtab.complete(root, shell)
    return script


def _completed(action: Action) -> Action:
    """Tell what an option's value can be: words, a file or a folder."""
    import shtab

    words = _words(getattr(action, "_typehint", None))
    if action.metavar == "TOPIC":
        words = list(TOPICS)
    if words and not action.choices:
        action.choices = words
    elif not action.choices and action.nargs != 0:
        takes_file = not action.option_strings or action.type is Path or action.dest == "config"
        if takes_file or _is_path(action):
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # which shtab reads
    return action


def _is_path(action: Action) -> bool:
    """Whether an option names a file or folder."""
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    named = action.dest.rpartition(".")[2] in ("output", "source", "coordinates", "transforms")
    return named or metavar.startswith(("FILE", "FOLDER", "DIR"))


def _words(hint: Any) -> list[str]:
    """Words of a type, if it has such alone."""
    if hint is bool:
        return ["true", "false"]
    if typing.get_origin(hint) is Literal:
        return [str(each) for each in typing.get_args(hint)]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [each for each in typing.get_args(hint) if each is not type(None)]
        return _words(parts[0]) if len(parts) == 1 else []
    return []


def _parser() -> OneLineArgumentParser:
    """Make the parser."""
    parser = OneLineArgumentParser(
        prog="difftem completion",
        description=DESCRIPTION,
    )
    parser.add_argument("shell", choices=SHELLS, help="of which the script is")
    return parser
