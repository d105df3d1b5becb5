"""How well a network predicts the blocks of an image that it is not trained on."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from difftem.analysis.held_out import ICE, band_masks
from difftem.data.held_out_blocks import HeldOutBlocks
from difftem.data.whole_pairs import PairSource
from difftem.functional.mtf import apply_transfer

_HALO = 64  # pixels that the network sees around a block
_MOST = 16  # blocks of a field: more would take the time that training has
_FIRST = 1_000_000_000  # numbers of pairs that no training reaches


class _Patch(NamedTuple):
    """A block with its surroundings in one pair."""

    inputs: Tensor  # (2, y, x)
    target: Tensor  # (y, x)
    block: tuple[slice, slice]


class HeldOutScore:
    """Log likelihood of up to 16 held-out blocks in fixed pairs, without the ring of ice if known.

    Parameters
    ----------
    sources : sequence of PairSource
        One per field.
    blocks : sequence of HeldOutBlocks
        Of each field.
    pixel_size : float or None
        Å.
    repeats : int
        Pairs of each field.
    """

    def __init__(
        self,
        sources: Sequence[PairSource],
        blocks: Sequence[HeldOutBlocks],
        pixel_size: float | None,
        repeats: int = 2,
    ) -> None:
        self.repeats = repeats
        self._groups: list[list[_Patch]] = []  # by block
        self._pixel_size = pixel_size
        self._weights: list[float] = []
        for source, own in zip(sources, blocks, strict=True):
            pairs = [source.pair(_FIRST + i) for i in range(repeats)]
            for corner in own.corners[:_MOST]:
                self._groups.append(
                    [
                        _patch(pair.noisy, pair.wiener, pair.target, corner, own.side)
                        for pair in pairs
                    ]
                )
                self._weights.append(1 / pairs[0].target_variance)

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> Tensor:  # (blocks,)
        """Score a network.

        Parameters
        ----------
        network : Module
            On whitened values and Wiener's estimate.

        Returns
        -------
        Tensor
            Nats per 1000 pixels above the mean image, of each block, float64.
        """
        network.eval()
        scores = []
        for patches, weight in zip(self._groups, self._weights, strict=True):
            nats = 0.0
            for inputs, target, block in patches:
                estimate = network(inputs[None])[0, 0]
                shape = (inputs.shape[-2], inputs.shape[-1])
                if (ice := band_masks(shape, self._pixel_size).get(ICE)) is not None:
                    keep = (~ice).to(target)
                    estimate, target = (apply_transfer(a, keep) for a in (estimate, target))
                e, b = estimate[block].double(), target[block].double()
                nats += float((e * (2 * b - e)).mean()) * weight / 2 / self.repeats
            scores.append(1000 * nats)
        return torch.tensor(scores, dtype=torch.float64)


def mean_and_error(
    differences: Tensor,  # (blocks,)
) -> tuple[float, float]:
    """Mean over blocks and its standard error."""
    n = len(differences)
    return float(differences.mean()), float(differences.std()) / math.sqrt(n)


def _patch(
    noisy: Tensor, wiener: Tensor, target: Tensor, corner: tuple[int, int], side: int
) -> _Patch:
    """Cut a block with a halo, less at the image's border."""
    window, block = [], []
    for first, length in zip(corner, noisy.shape, strict=True):
        low, high = max(first - _HALO, 0), min(first + side + _HALO, length)
        window.append(slice(low, high))
        block.append(slice(first - low, first - low + side))
    inputs = torch.stack([noisy[window[0], window[1]], wiener[window[0], window[1]]])
    return _Patch(inputs, target[window[0], window[1]], (block[0], block[1]))
