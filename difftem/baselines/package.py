"""Packages that only some methods need."""

from importlib import import_module
from typing import Any


def package(
    name: str,
    extra: str,
) -> Any:
    """Import an optional package, or say how to get it.

    Parameters
    ----------
    name : str
        Of the module.
    extra : str
        Of this package's extras that installs it.

    Returns
    -------
    module
        The module.

    Raises
    ------
    ValueError
        If it is not installed: one line with the command that installs it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"this method needs the package {error.name}: pip install 'difftem[{extra}]'"
        ) from None
