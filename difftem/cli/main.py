"""The `difftem` command: finds the subcommand, turns bad input into one line and exit code 2."""

import importlib
import os
import signal
import sys
import threading
from typing import Any, NoReturn

import difftem
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


_OUT_OF_MEMORY = "out of memory; use a smaller field or fewer copies"


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand.

    Parameters
    ----------
    arguments : list of str, optional
        Command line without the program's name. Default: ``sys.argv``.

    Returns
    -------
    int
        Exit code: 0, or 2 for bad input. With ``DIFFTEM_DEBUG=1`` bad input raises.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(_help())
        return 0
    if command == "--version":
        print(f"difftem {difftem.__version__}")
        return 0
    if command not in COMMANDS:
        return _fail(f"unknown command {command!r}, expected one of {', '.join(COMMANDS)}")
    if threading.current_thread() is threading.main_thread():  # others may not set signals
        signal.signal(signal.SIGTERM, _terminate)
    keep_freed_memory()
    log_to_terminal()
    try:
        module = importlib.import_module(COMMANDS[command][0])
        # LightningCLI tells its subcommands apart by itself.
        module.main(arguments if COMMANDS[command][0] == "difftem.cli.fit" else arguments[1:])
    except MemoryError:
        return _fail(_OUT_OF_MEMORY)
    except (ValueError, OSError) as error:
        if os.environ.get("DIFFTEM_DEBUG") == "1":
            raise
        return _fail(" ".join(str(error).split()))
    except RuntimeError as error:
        from difftem.simulation.memory import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        return _fail(_OUT_OF_MEMORY)
    except KeyboardInterrupt:
        _fail("interrupted, nothing was written")
        return 130
    return 0


def _terminate(number: int, frame: Any) -> NoReturn:
    """Treat the end of a batch job like Ctrl-C, so that nothing half-written stays."""
    raise KeyboardInterrupt


def _help() -> str:
    lines = [f"  {name:<13} {what}" for name, (_, what) in COMMANDS.items()]
    head = "usage: difftem COMMAND [options]\n\ncommands:\n"
    return head + "\n".join(lines) + "\n\ndifftem COMMAND --help explains options and units."


def _fail(message: str) -> int:
    print(f"difftem: error: {message}", file=sys.stderr)
    return 2
