"""The `difftem` command: finds the subcommand, turns whatever goes wrong into one line."""

import importlib
import os
import sys

import difftem
from difftem.cli.guard import BAD_INPUT, fail, guarded
from difftem.cli.interrupts import interruptible
from difftem.cli.terminal import log_to_terminal
from difftem.simulation.freed_memory import keep_freed_memory

COMMANDS = {
    "simulate": ("difftem.cli.simulate", "atoms to micrographs"),
    "generate": ("difftem.cli.generate", "scenes of many particles, any number of micrographs"),
    "estimate-mtf": ("difftem.cli.estimate_mtf", "the MTF of a detector from micrographs"),
    "fit": ("difftem.cli.fit", "fit a model to data, as a YAML configuration says"),
    "validate": ("difftem.cli.fit", "validate a fitted model"),
    "test": ("difftem.cli.fit", "test a fitted model on other data"),
    "predict": ("difftem.cli.fit", "apply a fitted model"),
}


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
        print(_help())
        return 0
    if command == "--version":
        print(f"difftem {difftem.__version__}")
        return 0
    if command not in COMMANDS:
        fail(f"unknown command {command!r}, expected one of {', '.join(COMMANDS)}")
        return BAD_INPUT
    keep_freed_memory()
    log_to_terminal()
    module = importlib.import_module(COMMANDS[command][0])
    # LightningCLI tells its subcommands apart by itself.
    module.main(arguments if COMMANDS[command][0] == "difftem.cli.fit" else arguments[1:])
    return 0


def _help() -> str:
    lines = [f"  {name:<13} {what}" for name, (_, what) in COMMANDS.items()]
    head = "usage: difftem COMMAND [options]\n\ncommands:\n"
    return head + "\n".join(lines) + "\n\ndifftem COMMAND --help explains options and units."
