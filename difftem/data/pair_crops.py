"""Crops of pairs of images as items of a data set."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from difftem.data.whole_pairs import PairSource, WholePair, seeded

_APART = 10**10  # pairs between two seeds
_PER_PAIR = 16  # crops that are cut from a pair before the next one is made


class PairCrops(Dataset[dict[str, Tensor]]):
    """Random crops, turned and mirrored, of pairs that are made anew every few items.

    An item depends on its index and the seed alone; indices that follow one another are quick.

    Parameters
    ----------
    sources : sequence of PairSource
        One per field; all take turns.
    weights : sequence of Tensor
        Of each field's pixels, 0 where they are held out, shape ``(y, x)``.
    size : int
        Side of a crop in pixels; less where a field is smaller.
    n : int
        Items.
    seed : int
        Of places and turns.
    rows : sequence of slice, optional
        Of each field, from which crops are cut. Default: all.
    """

    def __init__(
        self,
        sources: Sequence[PairSource],
        weights: Sequence[Tensor],
        size: int,
        n: int,
        seed: int = 0,
        rows: Sequence[slice] | None = None,
    ) -> None:
        self.sources, self.weights = list(sources), list(weights)
        self.rows = [slice(None)] * len(self.sources) if rows is None else list(rows)
        inside = zip(self.sources, self.rows, strict=True)
        spans = [range(*rows.indices(source.shape[0])) for source, rows in inside]
        self._tops = [span.start for span in spans]
        self._shapes = [
            (len(span), source.shape[1]) for span, source in zip(spans, self.sources, strict=True)
        ]
        self.size = min(size, *(side for shape in self._shapes for side in shape))
        self.n, self.seed = n, seed
        self._first = _APART * seed  # other seeds have other pairs
        self._pair: tuple[int, WholePair] | None = None

    def __len__(self) -> int:
        """Items."""
        return self.n

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Cut one crop.

        Parameters
        ----------
        index : int
            Of the item.

        Returns
        -------
        dict of Tensor
            ``noisy``, ``wiener``, ``target``, ``weight`` of shape ``(1, size, size)``;
            ``electrons`` per pixel of ``noisy``, and ``target_noise``, the variance in ``target``.
        """
        if not 0 <= index < self.n:
            raise IndexError(index)
        number = index // _PER_PAIR
        which = number % len(self.sources)
        if self._pair is None or self._pair[0] != number:
            self._pair = number, self.sources[which].pair(self._first + number // len(self.sources))
        pair, weight = self._pair[1], self.weights[which]
        generator = seeded(self.seed, index, torch.device("cpu"))
        top, left = (
            int(torch.randint(side - self.size + 1, (), generator=generator))
            for side in self._shapes[which]
        )
        top += self._tops[which]
        turns, mirror = torch.randint(4, (2,), generator=generator).tolist()
        window = slice(top, top + self.size), slice(left, left + self.size)

        def cut(image: Tensor) -> Tensor:
            crop = image[window].rot90(turns)
            return (crop.flip(0) if mirror % 2 else crop)[None].contiguous()

        return {
            "noisy": cut(pair.noisy),
            "wiener": cut(pair.wiener),
            "target": cut(pair.target),
            "weight": cut(weight).to(pair.noisy),
            "electrons": pair.noisy.new_tensor(pair.electrons),
            "target_noise": pair.noisy.new_tensor(pair.target_variance),
        }
