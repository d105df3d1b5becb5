"""Log likelihood of held-out electrons over many images, as torchmetrics."""

import torch
from torch import Tensor
from torchmetrics import Metric

from difftem.analysis.held_out import (
    ICE,
    LOW,
    TOTAL,
    HeldOutLikelihood,
    band_masks,
    banded_log_likelihood,
)

BANDS = (TOTAL, "below 0.03", "0.03-0.15", LOW, "above 0.15", ICE)


class BandedLogLikelihood(Metric):
    """Log likelihood of held-out whitened images by bands of frequency, nats per 1000 pixels.

    `compute` returns for each of `BANDS` the mean over all blocks above that of the mean image, and
    under the name with `` error`` its standard error. The ring of ice is NaN where there is none.

    Parameters
    ----------
    pixel_size : float or None
        Å, of all images; with it, the ring of ice is a band of its own.
    block : int
        Side of a block in pixels.
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False

    def __init__(self, pixel_size: float | None = None, block: int = 128) -> None:
        super().__init__()
        self._pixel_size, self._block = pixel_size, block
        self._bands = [band for band in BANDS if band != ICE or pixel_size is not None]
        for i in range(len(self._bands)):
            self.add_state(f"blocks_{i}", [], dist_reduce_fx="cat")

    def update(
        self,
        estimate: Tensor,  # (y, x)
        held_out: Tensor,  # (y, x)
    ) -> None:
        """Add an image: what is expected of the held-out one, and that one."""
        masks = band_masks((held_out.shape[-2], held_out.shape[-1]), self._pixel_size)
        found = banded_log_likelihood(estimate, held_out, masks, self._block)
        for i, band in enumerate(self._bands):
            getattr(self, f"blocks_{i}").append(found.blocks[band])

    def compute(self) -> dict[str, Tensor]:
        """Average over all blocks."""
        blocks = {}
        for i, band in enumerate(self._bands):
            rows = getattr(self, f"blocks_{i}")
            blocks[band] = rows if isinstance(rows, Tensor) else torch.cat(list(rows))
        scores = HeldOutLikelihood(blocks)
        values: dict[str, Tensor] = {}
        for band in BANDS:
            found = (scores.value(band), scores.error(band)) if band in blocks else (torch.nan,) * 2
            values[band], values[f"{band} error"] = map(torch.tensor, found)
        return values
