"""Rotations of the point groups that assemblies have."""

import math

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_vector

_SAME = 1e-6
_GOLDEN = (1 + math.sqrt(5)) / 2


def point_group(
    symbol: str,
) -> Tensor:  # (n, 3, 3)
    """All rotations of a point group, the identity first.

    Parameters
    ----------
    symbol : str
        Schoenflies's: C1, C2, ..., D2, ..., T, O or I; the main axis along z.

    Returns
    -------
    Tensor
        Float64, of shape ``(order, 3, 3)``.

    Raises
    ------
    ValueError
        For another symbol.
    """
    kind, fold = symbol[:1], symbol[1:]
    if kind in ("C", "D") and fold.isdigit() and int(fold) >= 1:
        main = _turn((0.0, 0.0, 1.0), int(fold))
        return _closed([main] if kind == "C" else [main, _turn((1.0, 0.0, 0.0), 2)])
    cubic = {
        "T": (_turn((0.0, 0.0, 1.0), 2), _turn((1.0, 1.0, 1.0), 3)),
        "O": (_turn((0.0, 0.0, 1.0), 4), _turn((1.0, 1.0, 1.0), 3)),
        "I": (_turn((0.0, 0.0, 1.0), 2), _turn((0.0, 1.0, _GOLDEN), 5)),
    }
    if symbol not in cubic:
        raise ValueError(f"point group must be C1, C2, ..., D2, ..., T, O or I, got {symbol!r}")
    return _closed(list(cubic[symbol]))


def _turn(axis: tuple[float, float, float], fold: int) -> Tensor:  # (3, 3)
    vector = torch.tensor(axis, dtype=torch.float64)
    return rotation_from_vector(vector / vector.norm() * (2 * math.pi / fold))


def _closed(generators: list[Tensor]) -> Tensor:  # (n, 3, 3)
    """Multiply until nothing new comes."""
    group = torch.eye(3, dtype=torch.float64)[None]
    new = group
    while len(new):
        products = torch.cat([new @ each for each in generators])
        found: list[Tensor] = []
        for each in products:
            known = torch.cat([group, *(other[None] for other in found)])
            if float((known - each).abs().amax((-2, -1)).min()) > _SAME:
                found.append(each)
        new = torch.stack(found) if found else group[:0]
        group = torch.cat([group, new])
    return group
