"""Is the column real? Its likelihood ratio, and the one that frames without it reach."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.analysis.atomic_columns import Contrast
from difftem.analysis.column_ratio import (
    column_ratios,
    least_expected,
    neighbour_template,
    vacuum_ratios,
)
from difftem.analysis.disc_surface import DiscSurface
from difftem.analysis.likelihood_ratio import best_test

# Counts (y, x) -> expected counts (y, x)
CountDenoiser = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class ColumnEvidence:
    """What the counts say of each column; ratios in nats.

    Attributes
    ----------
    centers : Tensor
        Whole x and y of each disc in pixels, shape ``(n, 2)``.
    ratio : Tensor
        Log-likelihood ratio of present against absent, shape ``(n,)``.
    threshold : Tensor
        That a share `level` of the null frames exceeds at each place, shape ``(n,)``.
    p_value : Tensor
        Share of null frames with at least this ratio, the frame itself counted, shape ``(n,)``.
    null_ratios : Tensor
        Of the null frames, shape ``(n, frames)``.
    ceiling : Tensor
        AUC of the best test of a column that looks as the hypothesis says, shape ``(n,)``.
    vacuum_ratio : Tensor
        The ratio of SBD: the mean of the disc against vacuum, shape ``(n,)``.
    level : float
        Of false positives.
    """

    centers: Tensor
    ratio: Tensor
    threshold: Tensor
    p_value: Tensor
    null_ratios: Tensor
    ceiling: Tensor
    vacuum_ratio: Tensor
    level: float

    @property
    def supported(self) -> Tensor:  # (n,) bool
        """Whether the counts of each disc speak for a column at the level."""
        return self.ratio > self.threshold

    @property
    def excess(self) -> Tensor:  # (n,)
        """Ratio over the mean of the null frames, in their standard deviations."""
        return (self.ratio - self.null_ratios.mean(1)) / self.null_ratios.std(1)


def column_evidence(
    denoise: CountDenoiser,
    counts: Tensor,  # (y, x)
    positions: Tensor,  # (n, 2) px
    surface: DiscSurface,
    *,
    vacuum: float,
    columns: Tensor | None = None,  # (m, 2) px
    frames: int = 59,
    level: float = 0.05,
    contrast: Contrast = "white",
    search: int = 3,
    apart: float | None = None,
    expected: Tensor | None = None,
    generator: torch.Generator | None = None,
    progress: Callable[[int], object] | None = None,
) -> ColumnEvidence:
    """Test every column against frames in which it is not there.

    A null frame is drawn from the denoised image with the column's disc replaced, and denoised
    again; columns that are far from each other share null frames. The ratio of a frame of noise is
    thus known with all that the denoiser makes of it.

    Parameters
    ----------
    denoise : callable
        Counts ``(y, x)`` to expected counts ``(y, x)``.
    counts : Tensor
        Electrons, whole numbers, shape ``(y, x)``.
    positions : Tensor
        x and y in pixels, no nearer to the border than ``surface.reach + search``, shape
        ``(n, 2)``.
    surface : DiscSurface
        Disc, and what it shows without a column.
    vacuum : float
        Electrons per pixel of vacuum, for the ratio of SBD.
    columns : Tensor, optional
        x and y of all columns in pixels, shape ``(m, 2)``: each site is tested for a column that
        looks as its nearest neighbours do. Default: for one that looks as it was denoised, which
        has less power.
    frames : int
        Null frames of each column.
    level : float
        Share of false positives; exact where ``level (frames + 1)`` is a whole number.
    contrast : {"white", "black"}
        Of columns.
    search : int
        Pixels by which a centre may move to the extreme, in null frames too.
    apart : float, optional
        Pixels between columns that share null frames. Default: four radii.
    expected : Tensor, optional
        ``denoise(counts)``, if it is known.
    generator : torch.Generator, optional
        Draws the null frames.
    progress : callable, optional
        Called with 1 after every null frame.

    Returns
    -------
    ColumnEvidence
        In the order of `positions`.

    Raises
    ------
    ValueError
        For too few frames for the level, or positions at the border.
    """
    least = math.ceil(round(1 / level - 1, 6))
    if not 0 < level < 1 or frames < least:
        raise ValueError(f"frames must be at least {least} for a level of {level:g}, got {frames}")
    check_inside(positions, counts, surface.reach + search)
    expected = denoise(counts) if expected is None else expected
    template = None
    if columns is not None:
        template = neighbour_template(
            expected, positions, columns, surface, contrast=contrast, search=search
        )
    ratio, centers = column_ratios(
        counts, expected, positions, surface, template=template, contrast=contrast, search=search
    )
    null = torch.empty(len(positions), frames, dtype=torch.float64)
    floor = least_expected(counts)
    for members in far_groups(centers, apart or 4 * surface.radius):
        without = surface.without(expected, centers[members]).clamp(min=floor)
        for frame in range(frames):
            drawn = torch.poisson(without, generator=generator).to(counts)
            null[members, frame] = column_ratios(
                drawn,
                denoise(drawn),
                positions[members],
                surface,
                template=None if template is None else template[members],
                contrast=contrast,
                search=search,
            )[0]
            if progress is not None:
                progress(1)
    rank = math.floor(round(level * (frames + 1), 6))
    threshold = null.sort(1, descending=True).values[:, rank - 1]
    p_value = (1 + (null >= ratio[:, None]).sum(1).double()) / (frames + 1)
    present, absent = surface.values(expected, centers)
    present = present if template is None else absent + template
    pairs = zip(present.clamp(min=floor), absent.clamp(min=floor), strict=True)
    ceiling = [best_test(*pair).auc for pair in pairs]
    return ColumnEvidence(
        centers,
        ratio,
        threshold,
        p_value,
        null,
        torch.tensor(ceiling, dtype=torch.float64),
        vacuum_ratios(counts, expected, centers, surface, vacuum),
        level,
    )


def far_groups(
    centers: Tensor,  # (n, 2)
    apart: float,
) -> list[Tensor]:
    """Sort places into groups, in each of which all are far from each other.

    Parameters
    ----------
    centers : Tensor
        Shape ``(n, 2)``.
    apart : float
        Least distance, in their unit.

    Returns
    -------
    list of Tensor
        Indices, each place in one group.
    """
    groups: list[list[int]] = []
    for i, each in enumerate(centers.double()):
        for group in groups:
            if float((centers[group].double() - each).norm(dim=1).min()) >= apart:
                group.append(i)
                break
        else:
            groups.append([i])
    return [torch.tensor(group) for group in groups]


def check_inside(
    positions: Tensor,  # (n, 2) px
    image: Tensor,  # (y, x)
    margin: int,
) -> None:
    """Refuse positions whose discs would reach beyond the image."""
    far = torch.tensor([image.shape[1] - 1, image.shape[0] - 1]) - positions.round()
    nearest = torch.minimum(positions.round(), far).amin(1)
    if len(positions) and float(nearest.min()) < margin:
        x, y = positions[int(nearest.argmin())].tolist()
        raise ValueError(
            f"column at x {x:.1f}, y {y:.1f} px must be at least {margin} px from the border"
        )
