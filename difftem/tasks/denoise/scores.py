"""What validation says of every image, and means of it by kind of specimen and dose."""

from itertools import pairwise

import torch
from torch import Tensor
from torchmetrics import Metric

from difftem.functional.faded_rings import faded_correlation, faded_products
from difftem.functional.fourier_ring import agreed_frequency
from difftem.functional.image_error import correlation, normalised_error, peak_signal_to_noise
from difftem.metrics.structural_similarity import truth_range_similarity

COLUMNS = ("nmse", "nmse_wiener", "ratio", "psnr", "correlation", "frc_half", "ssim")
BANDS = (0.0, 5.0, 15.0, 50.0, float("inf"))  # electrons per pixel
_RINGS = 64


def image_scores(
    estimate: Tensor,  # (b, 1, y, x)
    wiener: Tensor,  # (b, 1, y, x)
    truth: Tensor,  # (b, 1, y, x)
) -> Tensor:  # (b, 7)
    """Compare estimates with the truth and with Wiener's filter, image by image.

    Parameters
    ----------
    estimate, wiener, truth : Tensor
        Whitened values; figures are the same in electrons per pixel.

    Returns
    -------
    Tensor
        `COLUMNS`: mean squared error over the truth's variance, the same of Wiener's filter, their
        ratio, PSNR in dB (peak: range of the truth), correlation, frequency of FRC = 0.5 in
        cycles/pixel, SSIM (range of the truth).
        NaN where the truth is constant, but for the ratio.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.denoise import image_scores
    >>> truth = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> scores = image_scores(truth + 0.1, truth + 0.2, truth)
    >>> [round(each, 2) for each in scores[:, 2].tolist()]  # error over that of Wiener's filter
    [0.25, 0.25]
    """
    pairs = [(each[:, 0].float(), truth[:, 0].float()) for each in (estimate, wiener)]
    error, error_wiener = ((a - b).double().square().mean((-2, -1)) for a, b in pairs)
    low, high = truth.amin((-2, -1), keepdim=True), truth.amax((-2, -1), keepdim=True)
    found = torch.stack(
        [
            normalised_error(*pairs[0]),
            normalised_error(*pairs[1]),
            error / error_wiener,
            peak_signal_to_noise(*pairs[0]),
            correlation(*pairs[0]),
            _agreed(*pairs[0]),
            truth_range_similarity(estimate, truth)[:, 0],
        ],
        1,
    )
    constant = (high <= low).reshape(-1, 1)
    of_any = torch.arange(len(COLUMNS), device=found.device) == COLUMNS.index("ratio")
    return torch.where(constant & ~of_any, torch.nan, found)


class DenoisingScores(Metric):
    """Collect `image_scores` of all images and processes.

    Attributes
    ----------
    scores, electrons, kinds : list of Tensor
        A row for each image.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.denoise import DenoisingScores, image_scores
    >>> truth = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> collected = DenoisingScores()
    >>> rows = image_scores(truth + 0.1, truth + 0.2, truth)
    >>> collected.update(rows, torch.tensor([5.0, 20.0]), torch.tensor([0, 0]))
    >>> len(collected.compute())
    4
    """

    higher_is_better: bool | None = None
    is_differentiable = False
    full_state_update = False
    scores: list[Tensor]
    electrons: list[Tensor]
    kinds: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        for name in ("scores", "electrons", "kinds"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(
        self,
        scores: Tensor,  # (b, 7)
        electrons: Tensor,  # (b,)
        kinds: Tensor,  # (b,)
    ) -> None:
        """Add the rows of a batch; kinds are numbers from 0, less where a kind is not known."""
        self.scores.append(scores)
        self.electrons.append(electrons)
        self.kinds.append(kinds)

    def compute(self) -> dict[str, dict[str, float]]:
        """Means of the scores, and the worst ratio, by group.

        Returns
        -------
        dict
            Group (``""`` of all, ``dose_5_15``, ``kind_3``) to name to value: `COLUMNS`,
            ``ratio_worst`` and ``images``.
        """
        scores, electrons, kinds = map(_joined, (self.scores, self.electrons, self.kinds))
        groups = {"": electrons >= 0}
        for low, high in pairwise(BANDS):
            name = f"dose_{low:g}_{high:g}" if high < float("inf") else f"dose_{low:g}_up"
            groups[name] = (electrons >= low) & (electrons < high)
        for kind in kinds.unique().tolist():
            if kind >= 0:
                groups[f"kind_{kind}"] = kinds == kind
        return {
            name: _means(scores[chosen]) for name, chosen in groups.items() if bool(chosen.any())
        }


def _agreed(
    estimate: Tensor,  # (b, y, x)
    truth: Tensor,  # (b, y, x)
) -> Tensor:  # (b,) cycles/pixel
    """Frequency up to which each image agrees with its truth by FRC = 0.5."""
    rings = faded_correlation(faded_products(estimate, truth, _RINGS))
    found = [agreed_frequency(each, 0.5) for each in rings]
    return torch.tensor(found, dtype=torch.float64, device=estimate.device)


def _joined(rows: list[Tensor] | Tensor) -> Tensor:
    """Rows of all batches; after an exchange between processes they are one tensor already."""
    return rows if isinstance(rows, Tensor) else torch.cat(list(rows))


def _means(scores: Tensor) -> dict[str, float]:
    """Mean of each column, and what they lack."""
    found = dict(zip(COLUMNS, scores.nanmean(0).tolist(), strict=True))
    found["ratio_worst"] = float(scores[:, COLUMNS.index("ratio")].max())
    return {**found, "images": float(len(scores))}
