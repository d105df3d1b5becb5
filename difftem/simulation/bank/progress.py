"""Progress of a bank or a set that is made, on a terminal."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def tell_progress(
    numbers: Iterable[int], total: int, name: str = "bank", unit: str = "item"
) -> Iterable[int]:
    """Show a bar while items are made; none where nothing is missing or nobody looks.

    Parameters
    ----------
    numbers : iterable of int
        Of the missing items.
    total : int
        How many they are.
    name, unit : str
        What is made, and what each number counts.

    Returns
    -------
    iterable of int
        The same.
    """
    quiet = total == 0 or not sys.stderr.isatty()
    bar: Iterable[int] = tqdm(numbers, name, total, unit=unit, disable=quiet)
    return bar
