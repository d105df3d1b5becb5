"""Haar wavelets of counts, shrunk so that an unbiased estimate of the error is least."""

import math
from functools import partial
from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from difftem.baselines.coarse import coarser, finer
from difftem.baselines.summed import summed
from difftem.functional.haar import haar_analysis, haar_synthesis
from difftem.functional.poisson_risk import let_weights, risk_terms

_LEAST = 4  # pixels a side of the coarsest sums
_FEWEST = 16  # pixels a side: less binning for images that would become smaller
_PHASES = 4  # shifts along an axis


def pure_let(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    binning: float = 2.0,
) -> Tensor:  # (y, x)
    """Shrink Haar wavelets of the counts themselves, with weights by Poisson's unbiased risk.

    A detail is replaced by six terms (`let_terms`) with weights for each band of each scale, which
    solve the linear system that makes `difftem.functional.poisson_risk` least: nothing is tuned.
    The image is denoised at 16 shifts, which share their weights, and the mean is taken.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each: with m in all, counts are m + sqrt(m) x.
    generator : torch.Generator, optional
        Not used.
    binning : float
        Side of the larger pixels that are denoised; finer detail is left out.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    References
    ----------
    Luisier, Vonesch, Blu and Unser, Signal Process. 90 (2010) 415; Luisier, Blu and Unser, IEEE
    Trans. Image Process. 20 (2011) 696; Coifman and Donoho, Translation-invariant de-noising
    (1995).

    Examples
    --------
    >>> import torch
    >>> from difftem.baselines.pure_let import pure_let
    >>> rate = torch.full((32, 32), 20.0)
    >>> rate[:, 16:] = 30.0  # an edge
    >>> counts = torch.poisson(rate, generator=torch.Generator().manual_seed(0))
    >>> whitened, truth = (counts - 20) / 20**0.5, (rate - 20) / 20**0.5
    >>> found = pure_let(whitened[None], electrons=20.0)
    >>> [round((each - truth).square().mean().item(), 1) for each in (whitened, found)]
    [1.2, 0.1]
    """
    image, total, scale = summed(exposures, electrons)
    coarse = coarser(image, min(binning, max(1.0, min(image.shape) / _FEWEST)))
    levels = int(math.log2(max(1, min(coarse.shape) // _LEAST)))
    mean = total * image.numel() / coarse.numel()
    if levels:
        counts = _denoised(mean + mean**0.5 * coarse, levels)
        found = (counts - mean) / mean**0.5
        coarse = found - found.mean() + coarse.mean()
    return finer(coarse, (image.shape[0], image.shape[1])) / scale


def let_terms(
    sums: Tensor,  # (y, x)
    detail: Tensor,  # (y, x)
    gate: Tensor,  # (y, x)
    parent: Tensor,  # (y, x)
    parent_gate: Tensor,  # (y, x)
) -> Tensor:  # (6, y, x)
    r"""Candidates for what a detail is without noise.

    .. math:: g d, \; g \gamma d, \; (1 - g) d, \; (1 - g) \gamma d, \; g' p, \; (1 - g') p,
              \qquad \gamma = e^{-d^2 / 12 |s|}

    with the gates g and g', 1 where the surroundings show nothing but noise and 0 where they show
    more, and the parent p, the slope of the sums around, which has the detail's sign where there
    is an edge.

    Parameters
    ----------
    sums, detail : Tensor
        s, d of `difftem.functional.haar.haar_analysis`.
    gate, parent, parent_gate : Tensor
        g, p, g', from other squares than the detail's own, as Poisson's risk wants it.

    Returns
    -------
    Tensor
        Shape ``(6, y, x)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.baselines.pure_let import let_terms
    >>> sums, detail, parent, gate = torch.tensor([40.0, 12.0, 10.0, 0.0])[:, None, None]
    >>> terms = let_terms(sums, detail, gate, parent, gate)  # the surroundings show something
    >>> [round(term.item(), 2) for term in terms.flatten()]
    [0.0, 0.0, 12.0, 8.89, 0.0, 10.0]
    """
    quiet = _gate(detail.square(), sums)
    inside, outside = gate * detail, (1 - gate) * detail
    return torch.stack(
        [inside, inside * quiet, outside, outside * quiet, parent_gate * parent,
         (1 - parent_gate) * parent]
    )  # fmt: skip


def surroundings(
    sums: Tensor,  # (y, x)
    details: Tensor,  # (3, y, x)
) -> tuple[Tensor, Tensor, Tensor]:  # (3, y, x) each
    """Gates, parents and their gates, of each square by its neighbours alone.

    Parameters
    ----------
    sums, details : Tensor
        Of `difftem.functional.haar.haar_analysis`.

    Returns
    -------
    gate, parent, parent_gate : Tensor
        For `let_terms`, shape ``(3, y, x)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.baselines.pure_let import surroundings
    >>> gate, parent, _ = surroundings(torch.full((4, 4), 40.0), torch.zeros(3, 4, 4))  # flat
    >>> tuple(gate.shape), gate.mean().item(), parent.abs().max().item()
    ((3, 4, 4), 1.0, 0.0)
    """
    s = pad(sums[None], (1, 1, 1, 1), mode="reflect")[0]
    left, right, top, bottom = s[1:-1, :-2], s[1:-1, 2:], s[:-2, 1:-1], s[2:, 1:-1]
    down, up = s[:-2, :-2] + s[2:, 2:], s[:-2, 2:] + s[2:, :-2]
    parent = torch.stack([left - right, top - bottom, down - up])
    spread = torch.stack([left + right, top + bottom, down + up])  # variance of the parent
    near = _neighbours(torch.cat([details.square(), sums[None]]))
    power, variance = near[:3], near[3:]
    evidence = 2 * power / _positive(variance) + parent.square() / _positive(spread)
    return torch.exp(-evidence / 12), parent, _gate(parent.square(), spread)


def _denoised(counts: Tensor, levels: int) -> Tensor:  # (y, x)
    """Denoise counts at all shifts together."""
    height, width = counts.shape
    side = 2**levels
    origins = _origins(levels)
    sums = [_laid(counts, origin, side) for origin in origins]
    estimates: list[list[Tensor]] = []
    for _ in range(levels):
        split = [haar_analysis(each) for each in sums]
        sums = [each for each, _ in split]
        estimates.append(_estimated(split))
    mean = torch.zeros_like(counts)
    for i, (top, left) in enumerate(origins):
        whole = sums[i]
        for level in reversed(estimates):
            whole = haar_synthesis(whole, level[i])
        mean += whole[top : top + height, left : left + width] / len(origins)
    return mean


def _origins(levels: int) -> list[tuple[int, int]]:
    """Lay all places of squares of 4 once, and places of larger ones far from one another."""
    places = []
    for a, b in product(range(_PHASES), repeat=2):
        digits = [(a, b) if i % 2 == 0 else (b, a) for i in range((levels + 1) // 2)]
        top, left = (
            sum(n * _PHASES**i for i, n in enumerate(each)) for each in zip(*digits, strict=True)
        )
        places.append((top % 2**levels, left % 2**levels))
    return places


def _estimated(split: list[tuple[Tensor, Tensor]]) -> list[Tensor]:  # (3, y, x) each
    """Estimate the details of one scale, with weights for all shifts together."""
    around = [surroundings(*each) for each in split]
    bands: list[list[Tensor]] = []
    for k in range(3):
        terms, matrices, vectors = [], [], []
        for (sums, details), fields in zip(split, around, strict=True):
            gate, parent, parent_gate = (field[k] for field in fields)
            found = risk_terms(
                partial(let_terms, gate=gate, parent=parent, parent_gate=parent_gate),
                sums,
                details[k],
            )
            terms.append(found.terms)
            matrices.append(found.matrix)
            vectors.append(found.vector)
        weights = let_weights(torch.stack(matrices).sum(0), torch.stack(vectors).sum(0)).to(
            terms[0]
        )
        bands.append([torch.tensordot(weights, each, 1) for each in terms])
    return [torch.stack(each) for each in zip(*bands, strict=True)]


def _laid(counts: Tensor, origin: tuple[int, int], side: int) -> Tensor:
    """Put an image at an origin among squares of a side, mirrored where it does not fill them."""
    (height, width), (top, left) = counts.shape, origin
    margins = [left, -(width + left) % side, top, -(height + top) % side]
    while any(margins):  # a mirror shows no more than there is
        now = [min(margin, n - 1) for margin, n in zip(margins, _sides(counts), strict=True)]
        counts = pad(counts[None], now, mode="reflect")[0]
        margins = [a - b for a, b in zip(margins, now, strict=True)]
    return counts


def _sides(image: Tensor) -> tuple[int, int, int, int]:
    """Width twice, height twice, in the order of margins."""
    return image.shape[1], image.shape[1], image.shape[0], image.shape[0]


def _gate(power: Tensor, variance: Tensor) -> Tensor:
    """1 where a power is that of noise, falling to 0."""
    return torch.exp(-power / (12 * _positive(variance)))


def _positive(variance: Tensor) -> Tensor:
    """Make a variance one to divide by: counts of a coloured camera may be negative."""
    return variance.abs().clamp(min=1e-6)


def _neighbours(images: Tensor) -> Tensor:  # (n, y, x)
    """Weighted sum over the 24 neighbours of a pixel that there are, without itself."""
    axis = torch.exp(-torch.arange(-2.0, 3.0).square() / 2).to(images)
    kernel = axis[:, None] * axis
    kernel[2, 2] = 0
    return conv2d(images[:, None], kernel[None, None], padding=2)[:, 0]
