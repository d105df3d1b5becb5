"""Precision and recall of atomic columns over many images, as torchmetrics."""

import torch
from torch import Tensor
from torchmetrics import Metric

from difftem.analysis.column_match import column_scores, match_columns


class ColumnDetection(Metric):
    """Precision, recall, F1 and Jaccard index of found columns; pairs are added over images.

    `difftem.analysis.column_match` has the same of one image.

    Parameters
    ----------
    tolerance : float
        In the unit of the positions: what is further apart is no pair.

    Examples
    --------
    >>> import torch
    >>> from difftem.metrics.column_detection import ColumnDetection
    >>> metric = ColumnDetection(tolerance=3.0)
    >>> metric.update(torch.tensor([[10.0, 10.0]]), torch.tensor([[11.0, 10.0], [50.0, 50.0]]))
    >>> {name: round(score.item(), 2) for name, score in metric.compute().items()}
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.67, 'jaccard': 0.5}
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    pairs: Tensor
    found: Tensor
    true: Tensor

    def __init__(self, tolerance: float) -> None:
        super().__init__()
        if not tolerance > 0:
            raise ValueError(f"tolerance must be positive, got {tolerance:g}")
        self._tolerance = tolerance
        for name in ("pairs", "found", "true"):
            self.add_state(name, torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def update(
        self,
        found: Tensor,  # (n, 2)
        true: Tensor,  # (m, 2)
    ) -> None:
        """Add the columns of an image."""
        match = match_columns(found, true, self._tolerance)
        self.pairs += len(match.found)
        self.found += match.n_found
        self.true += match.n_true

    def compute(self) -> dict[str, Tensor]:
        """Scores of all columns together."""
        scores = column_scores(int(self.pairs), int(self.found), int(self.true))
        return {name: torch.tensor(value) for name, value in scores.items()}
