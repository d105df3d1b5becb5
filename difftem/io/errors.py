"""What is raised for a bad input file."""

from pathlib import Path


class InputError(ValueError):
    """A file or a value in it is not usable; the message is one line and names the file.

    Examples
    --------
    >>> from difftem.io.errors import InputError
    >>> from difftem.io.mrc import read_mrc
    >>> try:
    ...     read_mrc("nothing.mrc")
    ... except InputError as error:
    ...     print(error)
    nothing.mrc: no such file
    """


def input_error(path: str | Path, problem: object) -> InputError:
    """Make an `InputError` about a file; `problem` is flattened to one line.

    Examples
    --------
    >>> from difftem.io.errors import input_error
    >>> print(input_error("map.mrc", "is empty"))
    map.mrc: is empty
    """
    return InputError(f"{path}: {' '.join(str(problem).splitlines())}")
