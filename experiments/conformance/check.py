"""One row of the table: a number that comes out, and what it must be."""

from typing import NamedTuple


class Check(NamedTuple):
    """Something that was measured against a truth.

    Attributes
    ----------
    subject : str
        Part of the microscope.
    what : str
        What was compared.
    truth : str
        Where the right value comes from.
    number : float
        What came out.
    target, tolerance : float
        The number must be within `tolerance` of `target`.
    unit : str
        Of all three.
    """

    subject: str
    what: str
    truth: str
    number: float
    target: float
    tolerance: float
    unit: str = ""

    @property
    def passes(self) -> bool:
        """Whether the number is what it must be; NaN is not."""
        return abs(self.number - self.target) <= self.tolerance
