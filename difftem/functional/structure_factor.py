"""Structure factors of amorphous solids: how their atoms keep their distances."""

import torch
from torch import Tensor

from difftem.constants.amorphous import AmorphousStructure


def structure_factor(
    frequency: Tensor,  # (...) 1/Å
    structure: AmorphousStructure,
) -> Tensor:  # (...)
    r"""Structure factor as a smooth step and Gaussian peaks.

    .. math:: S(q) = 1 - (1 - S_0)\, e^{-(q/q_0)^4}
              + (1 - e^{-(q/q_0)^2}) \sum_k A_k\, e^{-(q - q_k)^2 / 2 w_k^2}

    Parameters
    ----------
    frequency : Tensor
        q = 1/d in 1/Å, not negative.
    structure : AmorphousStructure
        `WATER` or `CARBON` of `difftem.constants.amorphous`.

    Returns
    -------
    Tensor
        S, 1 at large q, in the type of `frequency`.

    Examples
    --------
    >>> import torch
    >>> from difftem.constants.amorphous import WATER_STRUCTURE
    >>> from difftem.functional.structure_factor import structure_factor
    >>> q = torch.tensor([0.0, 1 / 3.7, 3.0])  # 1/Å: long distances, the first peak, short ones
    >>> [round(value, 2) for value in structure_factor(q, WATER_STRUCTURE).tolist()]
    [0.06, 1.46, 1.0]
    """
    scaled = frequency / structure.hole
    peaks = torch.zeros_like(frequency)
    for height, place, width in structure.peaks:
        peaks = peaks + height * torch.exp(-0.5 * ((frequency - place) / width) ** 2)
    hole = (1 - structure.at_zero) * torch.exp(-(scaled**4))
    return 1 - hole - torch.expm1(-(scaled**2)) * peaks
