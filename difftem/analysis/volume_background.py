"""What of a volume is background: its level, and how noisy it is."""

import torch
from torch import Tensor

SAMPLE = 1_000_000  # voxels that decide
_NORMAL = 0.6744897501960817  # median of |x| of a normal distribution of deviation 1
_CLIPPED = 0.25  # share of voxels at the lowest value that is no accident


def volume_background(values: Tensor) -> tuple[float, float]:
    """Estimate level and standard deviation of the background that matter stands out of.

    Matter is brighter than the background and fills less than half of the volume. The level is the
    middle of the shortest interval that holds half of the voxels. The deviation is the median
    distance of those below it, as matter is above, over 0.674. Where a reconstruction keeps
    densities from falling below a level, at which a quarter of the voxels or more then are, it is
    that of the others from it.

    Parameters
    ----------
    values : Tensor
        Grey values of any shape; of more than a million every n-th counts.

    Returns
    -------
    level, noise : float
        In grey values; noise is 0 only where nothing varies.

    References
    ----------
    Rousseeuw and Leroy, Robust Regression and Outlier Detection (1987), section 4.4.
    """
    flat = values.flatten()
    flat = flat[:: max(1, len(flat) // SAMPLE)].double().sort().values
    lowest = flat[0]
    above = flat[flat > lowest]
    if len(flat) - len(above) > _CLIPPED * len(flat):
        spread = float((above - lowest).median()) if len(above) else 0.0
        return float(lowest), spread / _NORMAL
    half = (len(flat) + 1) // 2
    start = int((flat[half - 1 :] - flat[: len(flat) - half + 1]).argmin())
    level = (flat[start] + flat[start + half - 1]) / 2
    below = level - flat[flat <= level]
    return float(level), float(below.median()) / _NORMAL


def pooled(volumes: list[Tensor]) -> Tensor:
    """Voxels of all volumes, as many of each, a million at most.

    Parameters
    ----------
    volumes : list of Tensor
        Of any shapes.

    Returns
    -------
    Tensor
        Flat.
    """
    each = min(SAMPLE // len(volumes), *(volume.numel() for volume in volumes), SAMPLE)
    steps = [torch.linspace(0, volume.numel() - 1, each, dtype=torch.float64) for volume in volumes]
    return torch.cat(
        [volume.flatten()[step.long()] for volume, step in zip(volumes, steps, strict=True)]
    )
