"""Likelihood ratio of a column and its absence, on the frame that was denoised."""

import torch
from torch import Tensor

from difftem.analysis.atomic_columns import Contrast
from difftem.analysis.disc_surface import DiscSurface
from difftem.analysis.likelihood_ratio import poisson_log_ratio

_LEAST_LEVEL = 0.02  # of the frame's mean: expected counts are at least this


def column_ratios(
    counts: Tensor,  # (y, x)
    expected: Tensor,  # (y, x)
    positions: Tensor,  # (n, 2) px
    surface: DiscSurface,
    *,
    contrast: Contrast = "white",
    search: int = 0,  # px
) -> tuple[Tensor, Tensor]:  # (n,), (n, 2)
    """Log-likelihood ratio of every column being there against its surface, on the same frame.

    On the frame that was denoised it is biased: the denoised image follows the noise of the frame
    also where there is no column. `difftem.analysis.column_evidence` calibrates it.

    Parameters
    ----------
    counts : Tensor
        Electrons, shape ``(y, x)``.
    expected : Tensor
        What a denoiser says is expected of them, positive, shape ``(y, x)``.
    positions : Tensor
        x and y in pixels, shape ``(n, 2)``.
    surface : DiscSurface
        Disc, and what it shows without a column.
    contrast : {"white", "black"}
        Of columns.
    search : int
        Pixels by which the centre may move to the extreme of `expected`.

    Returns
    -------
    tuple of Tensor
        Ratios in nats, and whole x and y of the centres.
    """
    centers = _extremes(expected, positions, surface, contrast, search)
    present, absent = surface.values(expected, centers)
    seen, _ = surface.values(counts, centers)
    least = least_expected(counts)
    return poisson_log_ratio(seen, present.clamp(min=least), absent.clamp(min=least)), centers


def vacuum_ratios(
    counts: Tensor,  # (y, x)
    expected: Tensor,  # (y, x)
    centers: Tensor,  # (n, 2) px
    surface: DiscSurface,
    vacuum: float,
) -> Tensor:  # (n,)
    """Ratio of SBD: the denoised mean of the disc against the level of vacuum, in nats.

    It has no power where a column is a bright core in a dark ring, whose mean is that of vacuum.

    Parameters
    ----------
    counts, expected, centers, surface
        As of `column_ratios`.
    vacuum : float
        Electrons per pixel.

    Returns
    -------
    Tensor
        Shape ``(n,)``.

    References
    ----------
    Mohan et al., IEEE Trans. Comput. Imaging 8 (2022) 585, section on likelihood maps.
    """
    seen, _ = surface.values(counts, centers)
    blob = surface.values(expected, centers)[0].mean(1, keepdim=True)
    blob = blob.clamp(min=_LEAST_LEVEL * vacuum).expand_as(seen)
    return poisson_log_ratio(seen, blob, torch.full_like(blob, vacuum))


def least_expected(
    counts: Tensor,  # (y, x)
) -> float:
    """Electrons per pixel that expected counts are raised to: logarithms stay finite."""
    return _LEAST_LEVEL * float(counts.double().mean())


def _extremes(
    expected: Tensor, positions: Tensor, surface: DiscSurface, contrast: Contrast, search: int
) -> Tensor:  # (n, 2)
    """Whole pixels of the highest (or lowest) values near positions."""
    centers = positions.round().long()
    if not search:
        return centers
    steps = torch.cartesian_prod(*(torch.arange(-search, search + 1),) * 2)
    steps = steps[steps.double().norm(dim=1) <= search]
    near = expected[centers[:, 1:] + steps[:, 0], centers[:, :1] + steps[:, 1]]
    best = (near if contrast == "white" else -near).argmax(1)
    return centers + steps[best].flip(1)
