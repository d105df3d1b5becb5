"""What is raised for a bad input file."""

from pathlib import Path


class InputError(ValueError):
    """A file or a value in it is not usable; the message is one line and names the file."""


def input_error(path: str | Path, problem: object) -> InputError:
    """Make an `InputError` about a file; `problem` is flattened to one line."""
    return InputError(f"{path}: {' '.join(str(problem).splitlines())}")
