"""Which method is taken unless one is named: the best of a measured table."""

from dataclasses import dataclass
from importlib.resources import files

import yaml

TABLE = files("difftem.workflows.denoise") / "choice.yaml"


@dataclass(frozen=True)
class Choice:
    """A method and why.

    Attributes
    ----------
    method : str
        Its name.
    why : str
        For the user.
    """

    method: str
    why: str


def chosen_method() -> Choice:
    """Read the table that comes with the package.

    Returns
    -------
    Choice
        The method that was measured to be best.
    """
    table = yaml.safe_load(TABLE.read_text("utf-8"))
    return Choice(str(table["method"]), str(table["why"]))
