"""The last guard: whatever a command raises becomes one line and an exit code."""

import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

BROKEN, BAD_INPUT, INTERRUPTED = 1, 2, 130
MAX_LENGTH = 600  # of a message; the middle of a longer one is left out
_OUT_OF_MEMORY = "out of memory; use a smaller field or fewer copies; see difftem docs memory"
_TOO_DEEP = "the input is nested too deeply, or refers to itself"


def guarded(run: Callable[[], int], debug: bool = False) -> int:
    """Run a command.

    Parameters
    ----------
    run : callable
        Returns an exit code.
    debug : bool
        Let errors pass, with their traceback.

    Returns
    -------
    int
        That code; 2 for bad input, 1 for what no one foresaw, 130 for an interruption.
    """
    try:
        code = run()
        sys.stdout.flush()  # or the interpreter would find a closed pipe at its end
        return code
    except BrokenPipeError as error:  # whoever read this, such as `head`, has ended
        return _after_closed_pipe(error, debug)
    except KeyboardInterrupt:
        fail("interrupted, nothing was written")
        return INTERRUPTED
    except Exception as error:
        if debug:
            raise
        message, code = in_words(error)
        fail(message)
        return code


def in_words(error: Exception) -> tuple[str, int]:
    """Say what went wrong, and the exit code.

    Parameters
    ----------
    error : Exception
        As raised.

    Returns
    -------
    tuple of str and int
        The message without a limit to its length, and 2 for bad input or 1.
    """
    from difftem.simulation.memory import is_out_of_memory  # imports torch

    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and is_out_of_memory(error)
    ):
        return _OUT_OF_MEMORY, BAD_INPUT
    if isinstance(error, RecursionError):
        return _TOO_DEEP, BAD_INPUT
    if isinstance(error, ValueError | OSError):
        return str(error) or type(error).__name__, BAD_INPUT
    kind = type(error).__name__
    return f"internal error: {kind}: {error} (DIFFTEM_DEBUG=1 shows where; please report)", BROKEN


def fail(message: str) -> None:
    """Print a message as one line of readable characters, not longer than 600."""
    line = " ".join(message.split())
    line = "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
    if len(line) > MAX_LENGTH:
        line = f"{line[:380]} ... {line[-180:]}"
    print(f"difftem: error: {line}", file=sys.stderr)


def _after_closed_pipe(error: BrokenPipeError, debug: bool) -> int:
    """End quietly if it was that of the output; a pipe between processes is an error."""
    if _has_no_reader(sys.stdout):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # the interpreter flushes once more
        os.close(nowhere)
        return 128 + 13  # as a program that SIGPIPE ends
    if debug:
        raise error
    fail(str(error))
    return BAD_INPUT


def _has_no_reader(stream: TextIO) -> bool:
    """Whether a stream is a pipe whose other end is closed."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # Windows has no poll, a test's stream no number
        return False
