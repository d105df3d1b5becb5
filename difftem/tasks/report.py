"""What a finished fit has to say, for files and loggers of any kind."""

import math
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
class FittedValue:
    """A result with its error and unit; ``str`` writes both.

    Attributes
    ----------
    name : str
        What it is.
    value : float
        In `unit`.
    error : float
        Standard error in `unit`; 0 of a value that was given, infinite or NaN where the data do
        not determine it.
    unit : str
        Empty of a pure number.

    Examples
    --------
    >>> str(FittedValue("s0", 21.98, 0.045, "grey values²"))
    's0 = 21.980 ± 0.045 grey values²'
    >>> str(FittedValue("s0", 22.0, unit="grey values²"))
    's0 = 22 grey values²'
    """

    name: str
    value: float
    error: float = 0.0
    unit: str = ""

    def __str__(self) -> str:
        """Write the value to two digits of its error."""
        if math.isfinite(self.error) and self.error > 0:
            digits = max(0, 1 - math.floor(math.log10(self.error)))
            number = f"{self.value:.{digits}f} ± {self.error:.{digits}f}"
        else:
            number = f"{self.value:.4g}" + (" (no error known)" if self.error else "")
        return f"{self.name} = {number}" + (f" {self.unit}" if self.unit else "")


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
    results : list of FittedValue
        The few that a user wants to see first.
    """

    text: str
    metrics: dict[str, float] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    results: list[FittedValue] = field(default_factory=list)
