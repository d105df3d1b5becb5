"""The `difftem` command: finds the subcommand, turns whatever goes wrong into one line."""

import importlib
import os
import sys

import difftem
from difftem.cli.commands import COMMANDS, help_text
from difftem.cli.guard import BAD_INPUT, fail, guarded
from difftem.cli.interrupts import interruptible
from difftem.cli.terminal import log_to_terminal
from difftem.simulation.freed_memory import keep_freed_memory


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand.

    Parameters
    ----------
    arguments : list of str, optional
        Command line without the program's name. Default: ``sys.argv``.

    Returns
    -------
    int
        Exit code: 0; 2 for bad input; 1 for an error of this program; 130 after Ctrl-C or the end
        of a batch job (SIGTERM). With ``DIFFTEM_DEBUG=1`` errors raise.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    with interruptible():
        return guarded(lambda: _run(arguments), debug=os.environ.get("DIFFTEM_DEBUG") == "1")


def _run(arguments: list[str]) -> int:
    """Find the subcommand and run it."""
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(help_text())
        return 0
    if command == "--version":
        print(f"difftem {difftem.__version__}")
        return 0
    if command not in COMMANDS:
        fail(f"unknown command {command!r}, expected one of {', '.join(COMMANDS)}")
        return BAD_INPUT
    keep_freed_memory()
    log_to_terminal()
    module = COMMANDS[command].module
    # LightningCLI tells its subcommands apart by itself.
    rest = arguments if module == "difftem.cli.fit" else arguments[1:]
    importlib.import_module(module).main(rest)
    return 0
