"""What is said while something is computed, kept for the result."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Collector(logging.Handler):
    """Keep every line once."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, a warning by its name."""
        warning = record.levelno >= logging.WARNING
        line = ("warning: " if warning else "") + record.getMessage()
        if line not in self.lines:
            self.lines.append(line)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Yield a list that gets what difftem logs, warnings and notes, until the context ends."""
    lines: list[str] = []
    logger, level = logging.getLogger("difftem"), logging.getLogger("difftem").level
    handlers: list[logging.Handler] = [_Collector(lines)]
    if not logger.hasHandlers() and logging.lastResort is not None:
        handlers.append(logging.lastResort)  # what shows warnings where nothing is set up
    for handler in handlers:
        logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
        logger.setLevel(level)
