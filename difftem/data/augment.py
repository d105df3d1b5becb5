"""Batches turned, flipped and cropped by kornia, the same whenever the seed is."""

import torch
from kornia.augmentation import (
    AugmentationSequential,
    RandomCrop,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
from torch import Tensor

_IMAGES = ("noisy", "wiener", "target", "clean")


def augmented(
    batch: dict[str, Tensor],
    crop: int | None,
    seed: int,
    crops: int = 1,
    upright: bool = False,
) -> dict[str, Tensor]:
    """Flip, turn by right angles and crop all images of a batch alike.

    White noise stays white, and rings of the spectrum stay rings: it makes no difference whether
    that is done before or after noise and Wiener estimate. Whole pixels move, nothing is
    interpolated.

    Parameters
    ----------
    batch : dict
        Its images are ``(b, 1, y, x)``.
    crop : int or None
        Side in pixels.
    seed : int
        Of what is drawn.
    crops : int
        Times that each image is taken, one after the other.
    upright : bool
        Flip left and right only.

    Returns
    -------
    dict
        A batch of the same keys.
    """
    if crops > 1:
        batch = {key: each.repeat_interleave(crops, 0) for key, each in batch.items()}
    names = [name for name in _IMAGES if name in batch]
    images = torch.cat([batch[name] for name in names], 1)
    steps = [RandomHorizontalFlip(p=0.5), RandomVerticalFlip(p=0.0 if upright else 0.5)]
    if crop is not None:
        steps.append(RandomCrop((crop, crop), cropping_mode="slice"))
    devices = [images.device] if images.is_cuda else []
    # kornia draws from the global generator: lend it one of our own.
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        turn = bool(torch.rand(()) < 0.5)
        images = AugmentationSequential(*steps, data_keys=["input"])(images)
    if turn and not upright:
        images = images.mT
    parts = images.contiguous().split(1, 1)
    return {**batch, **dict(zip(names, parts, strict=True))}
