"""How well an estimate predicts what it has not seen: log likelihood, in all and by frequency."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer

EDGES = (0.03, 0.15)  # cycles/pixel
ICE_RING = (1 / 4.1, 1 / 3.4)  # 1/Å
TOTAL, LOW, ICE = "total", "below 0.15", "ice ring"

_DARKEST = 0.01  # of the mean: an estimate of less light is taken as this much


@dataclass(frozen=True, eq=False)
class HeldOutLikelihood:
    """Log likelihood above that of the mean image, in nats per 1000 pixels.

    Attributes
    ----------
    blocks : dict of Tensor
        By name of the band, each of shape ``(blocks,)``; ``total`` and ``below 0.15`` are sums of
        bands.
    """

    blocks: dict[str, Tensor]

    def value(self, band: str = TOTAL) -> float:
        """Mean over the blocks."""
        return float(self.blocks[band].mean())

    def error(self, band: str = TOTAL) -> float:
        """Estimate the standard error of the mean from the scatter of the blocks."""
        blocks = self.blocks[band]
        return float(blocks.std() / math.sqrt(len(blocks))) if len(blocks) > 1 else math.inf

    def above(self, other: "HeldOutLikelihood") -> "HeldOutLikelihood":
        """Block by block, what this is above another one of the same held-out image."""
        return HeldOutLikelihood({k: v - other.blocks[k] for k, v in self.blocks.items()})


def band_masks(
    shape: tuple[int, int],
    pixel_size: float | None,
    edges: tuple[float, ...] = EDGES,
) -> dict[str, Tensor]:  # (y, x // 2 + 1) bool
    """Bands of a half grid that together are all of it.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)``.
    pixel_size : float or None
        Å; with it, the ring of amorphous ice between 1/4.1 and 1/3.4 1/Å is a band of its own.
    edges : tuple of float
        Between the other bands, increasing, in cycles/pixel.

    Returns
    -------
    dict of Tensor
        By name.
    """
    q = radius(frequency_grid(shape, 1.0, half=True))
    ice = torch.zeros_like(q, dtype=torch.bool)
    if pixel_size is not None:
        ice = (q >= ICE_RING[0] * pixel_size) & (q < ICE_RING[1] * pixel_size)
    bounds = (0.0, *edges, math.inf)
    masks = {}
    for low, high in pairwise(bounds):
        name = f"below {high:g}" if low == 0 else f"above {low:g}"
        name = name if low == 0 or math.isinf(high) else f"{low:g}-{high:g}"
        masks[name] = (q >= low) & (q < high) & ~ice
    if pixel_size is not None:
        masks[ICE] = ice
    return masks


def banded_log_likelihood(
    estimate: Tensor,  # (y, x)
    held_out: Tensor,  # (y, x)
    masks: dict[str, Tensor],  # (y, x // 2 + 1) bool
    block: int = 128,
) -> HeldOutLikelihood:
    r"""Gaussian log likelihood of a whitened image by bands of frequency.

    .. math:: \ell = \sum_k \tfrac12 \left( |B_k|^2 - |B_k - E_k|^2 \right) / N

    White noise is white in Fourier space too: the sum over all pixels is one over all
    frequencies, and so over bands. Each band is seen block by block in real space.

    Parameters
    ----------
    estimate : Tensor
        What `held_out` is expected to be, from other electrons than its own.
    held_out : Tensor
        White noise of variance 1 and a signal.
    masks : dict of Tensor
        Bands, as `band_masks` makes them.
    block : int
        Side of a block in pixels; rows and columns that fill no block are left out.

    Returns
    -------
    HeldOutLikelihood
        By band, and ``total``; ``below 0.15`` where bands end there.

    Raises
    ------
    ValueError
        If the shapes differ, or no block fits.
    """
    _check(estimate, held_out, block)
    double = estimate.double(), held_out.double()
    blocks = {TOTAL: _blocks(double[0] * (2 * double[1] - double[0]) / 2, block)}
    for name, mask in masks.items():
        e, b = (apply_transfer(image, mask.to(image)) for image in double)
        blocks[name] = _blocks(e * (2 * b - e) / 2, block)
    low = [name for name in masks if name in {f"below {EDGES[0]:g}", f"{EDGES[0]:g}-{EDGES[1]:g}"}]
    if len(low) == len(EDGES):
        blocks[LOW] = blocks[low[0]] + blocks[low[1]]
    return HeldOutLikelihood(blocks)


def held_out_log_likelihood(
    estimate: Tensor,  # (y, x)
    held_out: Tensor,  # (y, x)
    electrons: float,
    block: int = 128,
) -> HeldOutLikelihood:
    r"""Poisson log likelihood of held-out counts, with a brightness that follows the estimate.

    .. math:: \ell = \frac{1}{N} \sum_i \left( C_i \ln\frac{\lambda_i}{m} - \lambda_i + m \right),
              \quad C = m + \sqrt{m}\, b, \quad \lambda = m + \sqrt{m}\, e

    Parameters
    ----------
    estimate : Tensor
        e: what `held_out` is expected to be, from other electrons than its own.
    held_out : Tensor
        b: whitened counts; values between whole numbers are taken as they are.
    electrons : float
        m, per pixel of the held-out image: of a part, its fraction of those of the exposure.
    block : int
        Side of a block in pixels; rows and columns that fill no block are left out.

    Returns
    -------
    HeldOutLikelihood
        ``total`` only. λ below a hundredth of m, or below 0, is taken as that.

    Raises
    ------
    ValueError
        If the shapes differ, or no block fits, or `electrons` is not positive.
    """
    _check(estimate, held_out, block)
    if not electrons > 0:
        raise ValueError(f"electrons must be positive, got {electrons} e/pixel")
    root = math.sqrt(electrons)
    counts = electrons + root * held_out.double()
    relative = (1 + estimate.double() / root).clamp(min=_DARKEST)
    nats = counts * relative.log() - electrons * (relative - 1)
    return HeldOutLikelihood({TOTAL: _blocks(nats, block)})


def _blocks(
    nats: Tensor,  # (y, x) per pixel
    block: int,
) -> Tensor:  # (blocks,) per 1000 pixels
    """Mean over blocks."""
    ny, nx = (n // block for n in nats.shape)
    cut = nats[: ny * block, : nx * block].reshape(ny, block, nx, block)
    return 1000 * cut.mean((1, 3)).flatten()


def _check(estimate: Tensor, held_out: Tensor, block: int) -> None:
    """Refuse images of two sizes, and smaller ones than a block."""
    if estimate.shape != held_out.shape:
        raise ValueError(
            f"estimate and held_out must have one shape, got {tuple(estimate.shape)} and "
            f"{tuple(held_out.shape)}"
        )
    if block < 1 or min(held_out.shape) < block:
        raise ValueError(
            f"block must be between 1 and the image's {min(held_out.shape)} pixels, got {block}"
        )
