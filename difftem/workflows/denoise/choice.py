"""Which method and weights are taken unless some are named."""

from dataclasses import dataclass
from importlib.resources import files

import yaml

from difftem.workflows.denoise.load_network import shipped_names

WEIGHTS, ATOMS, ATOMS_BELOW = "cryo", "atoms", 0.2  # Å
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


def chosen_weights(pixel_size: float | None) -> str:
    """Choose weights of the package: pixels below 0.2 Å are there to show atoms.

    Parameters
    ----------
    pixel_size : float or None
        Å.

    Returns
    -------
    str
        ``atoms`` or ``cryo``.
    """
    atoms = pixel_size is not None and pixel_size < ATOMS_BELOW and ATOMS in shipped_names()
    return ATOMS if atoms else WEIGHTS
