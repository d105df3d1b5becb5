"""Found columns against true ones: which are which, and how many were missed or made up."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ColumnMatch:
    """Pairs of found and true columns.

    Attributes
    ----------
    found, true : Tensor
        Index of each pair, shape ``(pairs,)``.
    distances : Tensor
        Of each pair, in the unit of the positions, shape ``(pairs,)``.
    n_found, n_true : int
        Columns of each kind.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.column_match import match_columns
    >>> found, true = torch.tensor([[10.0, 10.0], [70.0, 70.0]]), torch.tensor([[11.0, 10.0]])
    >>> match = match_columns(found, true, tolerance=3.0)
    >>> match.scores["precision"], match.scores["recall"]
    (0.5, 1.0)
    """

    found: Tensor
    true: Tensor
    distances: Tensor
    n_found: int
    n_true: int

    @property
    def scores(self) -> dict[str, float]:
        """Precision, recall, F1 and Jaccard index; see `column_scores`."""
        return column_scores(len(self.found), self.n_found, self.n_true)


def match_columns(
    found: Tensor,  # (n, 2)
    true: Tensor,  # (m, 2)
    tolerance: float,
) -> ColumnMatch:
    """Pair columns one to one: as many as possible, and then as near as possible.

    Parameters
    ----------
    found, true : Tensor
        Positions in one unit, shapes ``(n, 2)`` and ``(m, 2)``.
    tolerance : float
        In the same unit: what is further apart is no pair.

    Returns
    -------
    ColumnMatch
        The pairs.

    Raises
    ------
    ValueError
        For a tolerance that is not positive.

    References
    ----------
    Kuhn, Naval Research Logistics Quarterly 2 (1955) 83: the assignment problem.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.column_match import match_columns
    >>> true = torch.tensor([[10.0, 10.0], [30.0, 10.0]])
    >>> match = match_columns(true.flip(0) + 1, true, tolerance=3.0)
    >>> match.found.tolist(), match.true.tolist()  # which is which
    ([0, 1], [1, 0])
    """
    from scipy.optimize import linear_sum_assignment

    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive, got {tolerance:g}")
    first, second = found.double().cpu(), true.double().cpu()
    apart = torch.cdist(first.reshape(-1, 2), second.reshape(-1, 2))
    # No sum of allowed distances reaches what one pair beyond the tolerance costs.
    beyond = tolerance * (min(apart.shape) + 1)
    cost = torch.where(apart <= tolerance, apart, torch.full_like(apart, beyond))
    rows, columns = (torch.as_tensor(each) for each in linear_sum_assignment(cost.numpy()))
    near = apart[rows, columns] <= tolerance
    rows, columns = rows[near], columns[near]
    return ColumnMatch(rows, columns, apart[rows, columns], len(first), len(second))


def column_scores(pairs: int, n_found: int, n_true: int) -> dict[str, float]:
    r"""Precision, recall, F1 and Jaccard index of P pairs among F found and T true columns.

    .. math:: \frac{P}{F},\quad \frac{P}{T},\quad \frac{2P}{F + T},\quad \frac{P}{F + T - P}

    Parameters
    ----------
    pairs, n_found, n_true : int
        P, F and T.

    Returns
    -------
    dict of str to float
        ``precision``, ``recall``, ``f1``, ``jaccard``; 1 where nothing was to be found, or was
        found, of what the score is a share of.

    References
    ----------
    Van Rijsbergen, Information Retrieval (1979), chapter 7; Jaccard, New Phytologist 11 (1912) 37.

    Examples
    --------
    >>> from difftem.analysis.column_match import column_scores
    >>> column_scores(pairs=90, n_found=100, n_true=120)["recall"]
    0.75
    """
    parts = {
        "precision": (pairs, n_found),
        "recall": (pairs, n_true),
        "f1": (2 * pairs, n_found + n_true),
        "jaccard": (pairs, n_found + n_true - pairs),
    }
    return {name: part / whole if whole else 1.0 for name, (part, whole) in parts.items()}
