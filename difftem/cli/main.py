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
    "simulate": ("difftem.cli.simulate", "micrographs or a tilt series of one structure"),
    "generate": ("difftem.cli.generate", "sets of micrographs of many particles, with their truth"),
    "denoise": (
        "difftem.cli.denoise",
        "what a micrograph, movie or tilt series shows, without noise",
    ),
    "analyze": ("difftem.cli.analyze", "atomic columns of an image, and which of them are real"),
    "reconstruct": ("difftem.cli.reconstruct", "a volume from a tilt series"),
    "estimate-mtf": ("difftem.cli.estimate_mtf", "MTF of a detector from micrographs"),
    "estimate-dqe": ("difftem.cli.estimate_dqe", "DQE of a detector from edge and flat fields"),
    "fit": ("difftem.cli.fit", "fit a model to data with Lightning, configured in YAML"),
    "test": ("difftem.cli.fit", "test a fitted model on other data"),
}
GROUPS = {
    "Make images": ("simulate", "generate"),
    "Denoise images": ("denoise", "analyze"),
    "Reconstruct volumes": ("reconstruct",),
    "Measure a detector": ("estimate-mtf", "estimate-dqe"),
    "Fit models": ("fit", "test"),
}
_MORE = """Other options:
  --help        this text; difftem COMMAND --help explains a command's options and their units
  --version     version of difftem

Exit codes: 0 done; 1 an error of this program; 2 bad input or not enough memory; 130 interrupted
(Ctrl-C or SIGTERM). An error is one line on standard error; DIFFTEM_DEBUG=1 shows where."""


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
    lines = ["usage: difftem COMMAND [options]"]
    for title, names in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<13} {COMMANDS[name][1]}" for name in names)]
    return "\n".join([*lines, "", _MORE])
