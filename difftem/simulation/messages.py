"""What is said while something is computed, kept for the result."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ACCOUNTS = "difftem.io.account"

_LOGGER = logging.getLogger("difftem")
_LOCK = threading.Lock()
_active = 0  # collections that are open
_before = (logging.NOTSET, True)  # level and propagation of the logger without them


class _Collector(logging.Handler):
    """Keep every line of this thread, and of other processes, once."""

    def __init__(self, lines: list[str], source: str) -> None:
        super().__init__(logging.INFO)
        self.lines, self.source, self.thread = lines, source, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, a warning by its name."""
        if record.process == os.getpid() and record.thread != self.thread:
            return
        if not record.name.startswith(self.source):
            return
        warning = record.levelno >= logging.WARNING
        line = ("warning: " if warning else "") + record.getMessage()
        if line not in self.lines:
            self.lines.append(line)


class _Passer(logging.Handler):
    """Pass on what would have been logged without a collection, to whom it would have been."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record to the handlers above."""
        level, propagates = _before
        root = _LOGGER.parent
        own = any(not isinstance(each, _Collector | _Passer) for each in _LOGGER.handlers)
        if propagates and root is not None and record.levelno >= (level or root.level):
            if root.hasHandlers():
                root.callHandlers(record)
            elif not own and logging.lastResort is not None and record.levelno >= logging.WARNING:
                logging.lastResort.handle(record)


_PASSER = _Passer(logging.INFO)


@contextmanager
def collected(source: str = "difftem") -> Iterator[list[str]]:
    """Yield a list that gets what difftem logs, warnings and notes, until the context ends.

    Parameters
    ----------
    source : str
        Module whose lines are kept, with those inside it: `ACCOUNTS` for what files gave.

    Yields
    ------
    list of str
        One line each, a warning by its name.
    """
    global _active, _before
    lines: list[str] = []
    handler = _Collector(lines, source)
    with _LOCK:
        if _active == 0:
            _before = (_LOGGER.level, _LOGGER.propagate)
            _LOGGER.propagate = False
            _LOGGER.setLevel(min(_LOGGER.level or logging.INFO, logging.INFO))
            _LOGGER.addHandler(_PASSER)
        _active += 1
        _LOGGER.addHandler(handler)
    try:
        yield lines
    finally:
        with _LOCK:
            _LOGGER.removeHandler(handler)
            _active -= 1
            if _active == 0:
                _LOGGER.removeHandler(_PASSER)
                _LOGGER.setLevel(_before[0])
                _LOGGER.propagate = _before[1]


@contextmanager
def only_warnings() -> Iterator[None]:
    """Show nothing below a warning until the context ends; what is collected stays whole."""
    handlers = [
        handler
        for logger in (logging.getLogger(), _LOGGER)
        for handler in logger.handlers
        if not isinstance(handler, _Collector | _Passer)
    ]
    before = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(max(handler.level, logging.WARNING))
    try:
        yield
    finally:
        for handler, level in zip(handlers, before, strict=True):
            handler.setLevel(level)
