"""The one line in which a reader says what it took from a file and what it left."""

import logging
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)


def give_account(path: str | Path, taken: Iterable[str], left: Iterable[str] = ()) -> str:
    """Log what a file gave, and what was in it and is not used.

    The line reaches the terminal, a result's ``messages`` and ``run.json`` as every note does.

    Parameters
    ----------
    path : str or Path
        The file; its name is said.
    taken : iterable of str
        Facts about what is used, such as ``"304 atoms (C 98, ...)"``.
    left : iterable of str
        What the file holds and is not used, such as ``"1159 waters"`` or a column's name.

    Returns
    -------
    str
        The line, ``NAME: TAKEN, TAKEN; not used: LEFT, LEFT``.
    """
    line = f"{Path(path).name}: {', '.join(taken)}"
    if rest := ", ".join(left):
        line += f"; not used: {rest}"
    logger.info("%s", line)
    return line


def grouped(number: int) -> str:
    """Write a number with spaces between thousands, from five digits on: ``857 088``."""
    return str(number) if abs(number) < 10_000 else f"{number:,}".replace(",", " ")


def counted(number: int, thing: str) -> str:
    """Write how many things there are: ``1 atom``, ``857 088 atoms``."""
    return f"{grouped(number)} {thing}{'s' * (number != 1)}"
