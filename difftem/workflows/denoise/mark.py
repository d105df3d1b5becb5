"""Draw only what a blank image would not show."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from difftem.workflows.denoise.scales import on_scales

_FOOT = 0.5  # of the threshold: what is drawn around a peak that exceeds it


@dataclass(frozen=True, eq=False)
class Marked:
    """What of an estimate is more than a blank image shows.

    Parameters
    ----------
    mask : Tensor
        True where it is drawn, shape ``(y, x)``.
    n_regions : int
        Connected regions that are drawn.
    """

    mask: Tensor
    n_regions: int


def mark(
    estimate: Tensor,  # (y, x)
    thresholds: Mapping[float, float],
) -> Marked:
    """Find the regions that exceed a threshold on some scale, down to half of it.

    Parameters
    ----------
    estimate : Tensor
        In whitened units.
    thresholds : mapping of float to float
        From `FalsePositives.thresholds`.

    Returns
    -------
    Marked
        Mask and number of regions.
    """
    drawn = np.zeros(tuple(estimate.shape), dtype=bool)
    connected = np.ones((3, 3))
    for sigma, blurred in on_scales(estimate):
        threshold = thresholds.get(sigma, np.inf)
        size = blurred.abs().cpu().numpy()
        labels, n = ndimage.label(size > _FOOT * threshold, structure=connected)
        keep = np.zeros(n + 1, dtype=bool)
        keep[labels[size > threshold]] = True
        keep[0] = False
        drawn |= keep[labels]
    mask = torch.from_numpy(drawn).to(estimate.device)
    return Marked(mask, int(ndimage.label(drawn, structure=connected)[1]))
