"""What a finished fit has to say, for files and loggers of any kind."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows under column names.

    Attributes
    ----------
    columns : list of str
        With units where there are any.
    rows : list of list
        Numbers and text.
    """

    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True)
class Report:
    """Text, numbers, tables and pictures of a fit.

    Attributes
    ----------
    text : str
        Markdown.
    metrics : dict of str to float
        Single numbers by name.
    tables : dict of str to Table
        The first column of one whose name ends in ``curve`` is what the others are drawn over.
    figures : dict of str to Figure
        Of matplotlib.
    """

    text: str
    metrics: dict[str, float] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
