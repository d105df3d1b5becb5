"""Likelihood ratio of a column and its absence, on the frame that was denoised."""

import torch
from torch import Tensor

from difftem.analysis.atomic_columns import Contrast
from difftem.analysis.disc_surface import DiscSurface
from difftem.analysis.likelihood_ratio import poisson_log_ratio

_NEIGHBOURS = 8
_LEAST_LEVEL = 0.02  # of the frame's mean: expected counts are at least this


def column_ratios(
    counts: Tensor,  # (y, x)
    expected: Tensor,  # (y, x)
    positions: Tensor,  # (n, 2) px
    surface: DiscSurface,
    *,
    template: Tensor | None = None,  # (n, d)
    contrast: Contrast = "white",
    search: int = 0,  # px
) -> tuple[Tensor, Tensor]:  # (n,), (n, 2)
    """Log-likelihood ratio of every column being there against its surface, on the same frame.

    With a column that looks as it was denoised, the ratio is biased: the denoised image follows the
    noise of the frame also where there is no column. One that looks as its neighbours do (a
    template) knows nothing of the noise at the site. `difftem.analysis.column_evidence` calibrates
    either.

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
    template : Tensor, optional
        What each column adds to the surface, from `neighbour_template`, shape ``(n, d)``. Default:
        what it adds in `expected`.
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
    present = present if template is None else absent + template
    least = least_expected(counts)
    return poisson_log_ratio(seen, present.clamp(min=least), absent.clamp(min=least)), centers


def neighbour_template(
    expected: Tensor,  # (y, x)
    positions: Tensor,  # (n, 2) px
    columns: Tensor,  # (m, 2) px
    surface: DiscSurface,
    *,
    contrast: Contrast = "white",
    search: int = 0,  # px
) -> Tensor:  # (n, d)
    """Mean of what the nearest other columns of the denoised image add to their surfaces.

    Parameters
    ----------
    expected : Tensor
        Denoised image, shape ``(y, x)``.
    positions : Tensor
        x and y of the sites in pixels, shape ``(n, 2)``.
    columns : Tensor
        x and y of all columns, shape ``(m, 2)``; what is nearer to a site than the radius of the
        disc is the site itself, and what is at the border is left out.
    surface : DiscSurface
        Disc, of d pixels.
    contrast, search
        As of `column_ratios`.

    Returns
    -------
    Tensor
        Of eight neighbours or as many as there are; zero without any. Shape ``(n, d)``, float64.
    """
    ny, nx = expected.shape
    far = torch.tensor([nx - 1, ny - 1]) - columns.round()
    inside = torch.minimum(columns.round(), far).amin(1) >= surface.reach + search
    others = columns[inside].double()
    result = torch.zeros(len(positions), len(surface.inside), dtype=torch.float64)
    if not len(others):
        return result
    present, absent = surface.values(
        expected, _extremes(expected, others, surface, contrast, search)
    )
    excess = present - absent
    for site, each in enumerate(positions.double()):
        apart = (others - each).norm(dim=1)
        order = apart.argsort()
        nearest = order[apart[order] > surface.radius][:_NEIGHBOURS]
        if len(nearest):
            result[site] = excess[nearest].mean(0)
    return result


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
