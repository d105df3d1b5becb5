"""Lines of a manifest that are chosen by what their columns hold."""

from collections.abc import Mapping, Sequence

Row = Mapping[str, float | int | str]
Limits = dict[str, Sequence[float] | Sequence[str]]
NOT = "not_"


def check_limits(name: str, limits: Limits, rows: Sequence[Row]) -> None:
    """Refuse limits of columns that are not there, or of another kind than their values.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    limits : dict
        Columns, perhaps with ``not_`` before their names, and two numbers or a list of words.
    rows : sequence of mapping
        At least one.

    Raises
    ------
    ValueError
        Naming the column.
    """
    for key, wanted in limits.items():
        column = key.removeprefix(NOT)
        if column not in rows[0]:
            raise ValueError(
                f"{name}: the manifest has no column {column!r}, it has {', '.join(rows[0])}"
            )
        words = all(isinstance(each, str) for each in wanted)
        if not words and (len(wanted) != 2 or any(isinstance(each, str) for each in wanted)):
            raise ValueError(f"{name}.{key} must be two numbers or a list of words, got {wanted}")
        if words != all(isinstance(row[column], str) for row in rows):
            kind = "numbers" if words else "words"
            raise ValueError(f"{name}.{key}: the column {column} holds {kind}, got {wanted}")


def matches(row: Row, limits: Limits) -> bool:
    """Whether a line has what is wanted in every column.

    Parameters
    ----------
    row : mapping
        Of the manifest.
    limits : dict
        That `check_limits` let pass.

    Returns
    -------
    bool
        True without limits.
    """
    return all(
        _is_within(row[key.removeprefix(NOT)], wanted) != key.startswith(NOT)
        for key, wanted in limits.items()
    )


def _is_within(value: float | str, wanted: Sequence[float] | Sequence[str]) -> bool:
    """Whether a value is one of the words, or between the numbers."""
    if isinstance(value, str):
        return value in wanted
    low, high = (float(each) for each in wanted)
    return low <= value <= high
