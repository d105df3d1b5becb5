"""What is logged, on the terminal: one line each, once, without tearing a progress bar."""

import logging
import sys

from tqdm import tqdm


class TerminalHandler(logging.Handler):
    """Write lines to standard error: notes as they are, warnings by that name."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line unless it was written before."""
        warning = record.levelno >= logging.WARNING
        line = ("warning: " if warning else "") + record.getMessage()
        if line not in self.said:
            self.said.add(line)
            tqdm.write(line, file=sys.stderr)


def log_to_terminal() -> TerminalHandler:
    """Let this process write what difftem logs; an earlier handler of this kind is replaced."""
    logger = logging.getLogger("difftem")
    for handler in logger.handlers[:]:
        if isinstance(handler, TerminalHandler):
            logger.removeHandler(handler)
    handler = TerminalHandler()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return handler
