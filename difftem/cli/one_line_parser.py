"""An argument parser whose errors are one line."""

import argparse
import math
from collections.abc import Callable
from typing import NoReturn


class OneLineArgumentParser(argparse.ArgumentParser):
    """Report a bad command line as one `ValueError`; take whole options, show texts as they are.

    Parameters
    ----------
    prog : str
        Command as it is typed.
    description, epilog : str
        Texts above and below the options, whose line breaks stay.
    """

    def __init__(self, prog: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing usage and exiting."""
        raise ValueError(f"{message}; see {self.prog} --help")


def number(
    what: str, allowed: Callable[[float], bool], word: str | None = None
) -> Callable[[str], float | None]:
    """Make a type for argparse: a number with a condition, or a word that stands for None.

    Parameters
    ----------
    what : str
        What is allowed, for the message.
    allowed : callable
        Whether a finite number is.
    word : str, optional
        Stands for None.

    Returns
    -------
    callable
        From text.
    """

    def convert(text: str) -> float | None:
        if word is not None and text == word:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and allowed(value)):
            raise argparse.ArgumentTypeError(f"must be {what}, got {text!r}")
        return value

    return convert
