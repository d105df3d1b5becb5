"""Whether validation shows anything that training has seen."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from difftem.simulation.bank.bank import Bank

MAX_PSNR = 45.0  # dB
_BIN = 8
_CANDIDATES = 3
_EMPTY = 1e-4  # rms of contrast: images of ice alone are all alike


class NearestPair(NamedTuple):
    """A validation item and the training item that is most like it."""

    validation: int
    training: int
    psnr: float  # dB, over the validation item's range


def nearest_pair(bank: Bank, training: Sequence[int], validation: Sequence[int]) -> NearestPair:
    """Find the training item that a validation item is most like.

    Binned images find candidates, whole ones decide. Empty images are left out.

    Parameters
    ----------
    bank : Bank
        Clean micrographs.
    training, validation : sequence of int
        Numbers in it.

    Returns
    -------
    NearestPair
        Over all validation items.
    """
    old, old_numbers = _small(bank, training)
    new, new_numbers = _small(bank, validation)
    best = NearestPair(-1, -1, float("-inf"))
    if not len(old_numbers) or not len(new_numbers):
        return best
    distances = torch.cdist(new, old) ** 2 / old.shape[1]
    ranges = new.amax(1) - new.amin(1)
    psnr = 10 * torch.log10(ranges[:, None] ** 2 / distances.clamp(min=1e-20))
    for flat in psnr.flatten().argsort(descending=True)[:_CANDIDATES].tolist():
        i, j = divmod(flat, len(old_numbers))
        pair = new_numbers[i], old_numbers[j]
        first, second = (bank.read(each).contrast.float() for each in pair)
        error = float((first - second).square().mean().clamp(min=1e-20))
        value = float(10 * torch.log10((first.max() - first.min()) ** 2 / error))
        if value > best.psnr:
            best = NearestPair(*pair, value)
    return best


def refuse_near_duplicates(
    bank: Bank, training: Sequence[int], validation: Sequence[int]
) -> NearestPair:
    """Find the nearest pair, and refuse it if it is the same image to a small difference.

    Raises
    ------
    ValueError
        If the PSNR is above 45 dB.
    """
    pair = nearest_pair(bank, training, validation)
    if pair.psnr > MAX_PSNR:
        raise ValueError(
            f"{bank.folder}: validation item {pair.validation} is training item {pair.training} to "
            f"{pair.psnr:.1f} dB; at most {MAX_PSNR:g} dB are allowed"
        )
    return pair


def _small(bank: Bank, numbers: Sequence[int]) -> tuple[Tensor, list[int]]:
    """Binned images as rows, without those that are empty, and their numbers."""
    rows, kept = [], []
    for number in numbers:
        contrast = bank.read(number).contrast.float()
        if float(contrast.std()) > _EMPTY:
            rows.append(avg_pool2d(contrast[None, None], _BIN).flatten())
            kept.append(number)
    return torch.stack(rows) if rows else torch.zeros(0, 1), kept
