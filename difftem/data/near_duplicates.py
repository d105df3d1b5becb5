"""Whether validation shows anything that training has seen."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

MAX_PSNR = 45.0  # dB
Contrast = Callable[[int], Tensor]  # number of an item to its image, 0 where nothing is
_BIN = 8
_CANDIDATES = 20
_EMPTY = 1e-4  # rms of contrast: images of ice alone are all alike


class NearestPair(NamedTuple):
    """A validation item and the training item that is most like it."""

    validation: int
    training: int
    psnr: float  # dB, over the validation item's range


def nearest_pair(
    contrast: Contrast, training: Sequence[int], validation: Sequence[int]
) -> NearestPair:
    """Find the training item that a validation item is most like.

    Binned images find candidates, whole ones decide. Empty images are left out.

    Parameters
    ----------
    contrast : callable
        Reads the image of an item, shape ``(y, x)``.
    training, validation : sequence of int
        Numbers of items.

    Returns
    -------
    NearestPair
        Over all validation items.
    """
    old, old_numbers = _small(contrast, training)
    new, new_numbers = _small(contrast, validation)
    best = NearestPair(-1, -1, float("-inf"))
    if not len(old_numbers) or not len(new_numbers):
        return best
    distances = torch.cdist(new, old) ** 2 / old.shape[1]
    ranges = new.amax(1) - new.amin(1)
    psnr = 10 * torch.log10(ranges[:, None] ** 2 / distances.clamp(min=1e-20))
    for flat in psnr.flatten().argsort(descending=True)[:_CANDIDATES].tolist():
        i, j = divmod(flat, len(old_numbers))
        pair = new_numbers[i], old_numbers[j]
        first, second = (contrast(each).float() for each in pair)
        error = float((first - second).square().mean().clamp(min=1e-20))
        value = float(10 * torch.log10((first.max() - first.min()) ** 2 / error))
        if value > best.psnr:
            best = NearestPair(*pair, value)
    return best


def refuse_near_duplicates(
    contrast: Contrast,
    training: Sequence[int],
    validation: Sequence[int],
    where: object,
    max_psnr: float = MAX_PSNR,  # dB
) -> NearestPair:
    """Find the nearest pair, and refuse it if it is the same image to a small difference.

    Parameters
    ----------
    contrast, training, validation
        As of `nearest_pair`.
    where : object
        Folder of the items, for the message.
    max_psnr : float
        In dB.

    Returns
    -------
    NearestPair
        Over all validation items.

    Raises
    ------
    ValueError
        If its PSNR is higher.
    """
    pair = nearest_pair(contrast, training, validation)
    if pair.psnr > max_psnr:
        raise ValueError(
            f"{where}: held-out item {pair.validation} is training item {pair.training} to "
            f"{pair.psnr:.1f} dB; at most {max_psnr:g} dB are allowed"
        )
    return pair


def _small(contrast: Contrast, numbers: Sequence[int]) -> tuple[Tensor, list[int]]:
    """Binned images as rows, without those that are empty, and their numbers."""
    rows, kept = [], []
    for number in numbers:
        image = contrast(number).float()
        if float(image.std()) > _EMPTY:
            rows.append(avg_pool2d(image[None, None], _BIN).flatten())
            kept.append(number)
    return torch.stack(rows) if rows else torch.zeros(0, 1), kept
