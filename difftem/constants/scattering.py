"""Electron scattering factors of neutral atoms: three published parametrisations."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import torch
from torch import Tensor

TableName = Literal["peng", "lobato", "kirkland"]

PENG_END = 4.0  # 1/Å, of the fit of five Gaussians: s = q/2 up to 2 1/Å

_FILES: dict[str, str] = {
    "peng": "peng1996.csv",
    "lobato": "lobato2014.csv",
    "kirkland": "kirkland2010.csv",
}
_N_LORENTZ = {"peng": 0, "lobato": 0, "kirkland": 3}

# By atomic number; 0 is nobody.
ELEMENT_SYMBOLS: tuple[str, ...] = (
    "",
    *("H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn").split(),
    *("Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La").split(),
    *("Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po").split(),
    *("At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr").split(),
)
_ATOMIC_NUMBERS = {symbol: z for z, symbol in enumerate(ELEMENT_SYMBOLS) if z}


@dataclass(frozen=True, eq=False)
class ScatteringTable:
    r"""Parameters of the scattering factor of every element.

    With :math:`q = 1/d` in 1/Å, :math:`f` in Å and (p, r) the pair of a term,

    - ``peng``: every term is a Gauss function, :math:`p\, e^{-r q^2 / 4}`;
    - ``lobato``: every term is :math:`p\,(2 + r q^2) / (1 + r q^2)^2`;
    - ``kirkland``: the first `n_lorentz` terms are :math:`p / (q^2 + r)`, the others
      :math:`p\, e^{-r q^2}`.

    Attributes
    ----------
    name : {"peng", "lobato", "kirkland"}
        Which parametrisation.
    parameters : Tensor
        float64, shape ``(max_atomic_number + 1, n_terms, 2)``, indexed by atomic number; row 0 is
        NaN, so that an atom of no element cannot pass unseen.
    n_lorentz : int
        How many leading terms are Lorentz functions: 3 for ``kirkland``, else 0.

    References
    ----------
    Peng, Ren, Dudarev & Whelan, Acta Cryst. A52 (1996) 257, table 1; Lobato & Van Dyck, Acta
    Cryst. A70 (2014) 636; Kirkland, Advanced Computing in Electron Microscopy (2010), app. C.

    Examples
    --------
    >>> from difftem.constants import scattering_table
    >>> table = scattering_table("lobato")
    >>> table.name, table.max_atomic_number
    ('lobato', 103)
    """

    name: TableName
    parameters: Tensor
    n_lorentz: int = 0

    @property
    def max_atomic_number(self) -> int:
        """Heaviest element of the table."""
        return self.parameters.shape[0] - 1

    @property
    def lorentz(self) -> Tensor:  # (n_elements + 1, n_lorentz, 2)
        """Lorentz terms, ``(n_elements + 1, n_lorentz, 2)``."""
        return self.parameters[:, : self.n_lorentz]

    @property
    def gauss(self) -> Tensor:  # (n_elements + 1, n_gauss, 2)
        """Gauss terms, ``(n_elements + 1, n_gauss, 2)``; none for ``lobato``."""
        if self.name == "lobato":
            return self.parameters[:, :0]
        return self.parameters[:, self.n_lorentz :]


def suitable_table(
    max_frequency: float,  # 1/Å
) -> TableName:
    """Name the table to use up to a frequency: Peng's as far as its fit goes, else Lobato's.

    Parameters
    ----------
    max_frequency : float
        End of the potential's band in 1/Å.

    Returns
    -------
    {"peng", "lobato"}
        Five Gaussians fall off too fast: those of platinum are 1 % too low at 4 1/Å, 34 % at 6.

    References
    ----------
    Peng, Ren, Dudarev & Whelan, Acta Cryst. A52 (1996) 257, table 1 (s up to 2 1/Å).
    """
    return "peng" if max_frequency <= PENG_END else "lobato"


@cache
def scattering_table(name: TableName) -> ScatteringTable:
    """Load a parametrisation; later calls return the same object.

    Parameters
    ----------
    name : {"peng", "lobato", "kirkland"}
        ``peng`` holds Z = 1-98 and is what most cryo-EM programs use; the others hold Z = 1-103
        and have the right decay at large angles.

    Returns
    -------
    ScatteringTable
        The parameters, float64 on the CPU.

    Raises
    ------
    ValueError
        If there is no such table.

    Examples
    --------
    >>> from difftem.constants import scattering_table
    >>> tuple(scattering_table("peng").parameters.shape)  # elements, terms, (p, r)
    (99, 5, 2)
    """
    if name not in _FILES:
        known = ", ".join(get_args(TableName))
        raise ValueError(f"unknown scattering table {name!r}, expected one of {known}")
    text = files("difftem.constants").joinpath(_FILES[name]).read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    elements = [[float("nan")]]
    for row in rows:
        elements.append([float(row[column]) for column in row if column not in ("Z", "symbol")])
    elements[0] = elements[0] * len(elements[1])
    columns = torch.tensor(elements, dtype=torch.float64)
    # The files hold a1 a2 ... b1 b2 ... (and then c1 ... d1 ...): pair each a with its b.
    kinds = columns.chunk(2 if _N_LORENTZ[name] == 0 else 4, dim=1)
    pairs = [torch.stack(kinds[i : i + 2], dim=-1) for i in range(0, len(kinds), 2)]
    return ScatteringTable(name, torch.cat(pairs, dim=1), _N_LORENTZ[name])


def atomic_number(symbol: str) -> int:
    """Atomic number of an element.

    Parameters
    ----------
    symbol : str
        Chemical symbol, in upper, lower or mixed case.

    Returns
    -------
    int
        1 to 103.

    Raises
    ------
    ValueError
        If there is no such element up to Z = 103.

    Examples
    --------
    >>> from difftem.constants import atomic_number
    >>> atomic_number("Pt")
    78
    """
    z = _ATOMIC_NUMBERS.get(symbol.strip().capitalize())
    if z is None:
        raise ValueError(f"unknown element {symbol!r}, expected H to Lr (Z = 1 to 103)")
    return z
