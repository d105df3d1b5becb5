"""Ctrl-C, and the end of a batch job (SIGTERM), which is treated alike."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_DELAY = 0.05  # seconds until a signal that was dropped is given again


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, so that nothing half-written stays, and lose neither.

    Python drops an exception that is raised while it cleans up an object, that of a signal, too,
    and the run would go on: such a signal is given again. Does nothing outside the main thread,
    which alone may set signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = sys.unraisablehook

    def give_again(dropped: Any) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            before(dropped)
            return
        timer = threading.Timer(_DELAY, _signal_main_thread)
        timer.daemon = True
        timer.start()

    signal.signal(signal.SIGTERM, _interrupt)
    sys.unraisablehook = give_again
    try:
        yield
    finally:
        sys.unraisablehook = before


def _signal_main_thread() -> None:
    """Give SIGTERM again; its thread is named, so that one that waits wakes up."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:  # Windows
        signal.raise_signal(signal.SIGTERM)


def _interrupt(number: int, frame: Any) -> NoReturn:
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt
