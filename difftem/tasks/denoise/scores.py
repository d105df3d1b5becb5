"""What validation says of every image, and means of it by kind of specimen and dose."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.image import structural_similarity_index_measure

COLUMNS = ("nmse", "nmse_wiener", "ratio", "psnr", "correlation", "ssim")
BANDS = (0.0, 5.0, 15.0, 50.0, float("inf"))  # electrons per pixel
_NAME = 24  # bytes of a kind's name that are kept: processes exchange tensors only


def image_scores(
    estimate: Tensor,  # (b, 1, y, x)
    wiener: Tensor,  # (b, 1, y, x)
    truth: Tensor,  # (b, 1, y, x)
) -> Tensor:  # (b, 6)
    """Compare estimates with the truth and with Wiener's filter, image by image.

    Parameters
    ----------
    estimate, wiener, truth : Tensor
        Whitened values; figures are the same in electrons per pixel.

    Returns
    -------
    Tensor
        `COLUMNS`: mean squared error over the truth's variance, the same of Wiener's filter, their
        ratio, PSNR in dB (peak: range of the truth), correlation, SSIM (range of the truth).
        NaN where the truth is constant, but for the ratio.
    """
    variance = truth.var((-3, -2, -1), correction=0)
    error, error_wiener = (
        (each - truth).square().mean((-3, -2, -1)) for each in (estimate, wiener)
    )
    low, high = truth.amin((-3, -2, -1)), truth.amax((-3, -2, -1))
    span = high - low
    a, b = (each - each.mean((-3, -2, -1), keepdim=True) for each in (estimate, truth))
    norms = a.square().sum((-3, -2, -1)) * b.square().sum((-3, -2, -1))
    unit = span.clamp(min=1e-12)[:, None, None, None]
    ssim = structural_similarity_index_measure(
        (estimate - truth) / unit + truth / unit, truth / unit, data_range=1.0, reduction="none"
    )
    found = torch.stack(
        [
            error / variance,
            error_wiener / variance,
            error / error_wiener,
            10 * torch.log10(span.square() / error),
            (a * b).sum((-3, -2, -1)) / norms.sqrt(),
            torch.as_tensor(ssim).reshape(-1).to(error),
        ],
        1,
    )
    constant = (span <= 0)[:, None] & (torch.arange(len(COLUMNS), device=span.device) != 2)
    return torch.where(constant, torch.nan, found).double()


class DenoisingScores(Metric):
    """Collect `image_scores` of all images and processes.

    Attributes
    ----------
    scores, electrons, kinds : list of Tensor
        A row for each image.
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
        scores: Tensor,  # (b, 6)
        electrons: Tensor,  # (b,)
        kinds: Sequence[str],
    ) -> None:
        """Add the rows of a batch."""
        self.scores.append(scores)
        self.electrons.append(electrons)
        codes = [each.encode()[:_NAME].ljust(_NAME) for each in kinds]
        self.kinds.append(torch.tensor([list(code) for code in codes], device=scores.device))

    def compute(self) -> dict[str, dict[str, float]]:
        """Means of the scores, and the worst ratio, by group.

        Returns
        -------
        dict
            Group (``""`` of all, ``dose_5_15``, ``kind_NAME``) to name to value: `COLUMNS`,
            ``ratio_worst`` and ``images``.
        """
        scores, electrons, codes = map(_joined, (self.scores, self.electrons, self.kinds))
        kinds = [bytes(code).decode(errors="replace").strip() for code in codes.tolist()]
        groups = {"": torch.ones(len(scores), dtype=torch.bool)}
        for low, high in zip(BANDS, BANDS[1:], strict=False):
            name = f"dose_{low:g}_{high:g}" if high < float("inf") else f"dose_{low:g}_up"
            groups[name] = ((electrons >= low) & (electrons < high)).cpu()
        for kind in sorted(set(filter(None, kinds))):
            groups[f"kind_{kind}"] = torch.tensor([each == kind for each in kinds])
        return {
            name: _means(scores[chosen.to(scores.device)])
            for name, chosen in groups.items()
            if bool(chosen.any())
        }


def _joined(rows: list[Tensor] | Tensor) -> Tensor:
    """Rows of all batches; after an exchange between processes they are one tensor already."""
    return rows if isinstance(rows, Tensor) else torch.cat(list(rows))


def _means(scores: Tensor) -> dict[str, float]:
    """Mean of each column, and what they lack."""
    found = dict(zip(COLUMNS, scores.nanmean(0).tolist(), strict=True))
    found["ratio_worst"] = float(scores[:, COLUMNS.index("ratio")].max())
    return {**found, "images": float(len(scores))}
