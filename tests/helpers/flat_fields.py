"""Flat fields of a known detector."""

import torch
from torch import Tensor

from difftem.modules import MTF, Detector, LorentzianMTF

GAIN = 2.0
FITTED = ("b", "c", "alpha", "beta")


def flat_fields(
    n: int,
    size: int,
    seed: int = 0,
    rate: float = 5.0,
    mtf: MTF | None = None,
    structure: Tensor | None = None,
    read_noise: float = 0.0,
) -> dict[str, Tensor]:
    """Make a batch with the MTF of the TMV set unless told otherwise, periodic."""
    generator = torch.Generator().manual_seed(seed)
    expected = torch.full((n, size, size), rate, dtype=torch.float64)
    if structure is not None:
        expected = expected * (1 + structure)
    detector = Detector(mtf or LorentzianMTF(), gain=GAIN, read_noise=read_noise).double()
    images = detector(torch.poisson(expected, generator=generator), generator=generator)
    return {"images": images.float(), "means": images.mean((-2, -1)).float()}


def off_start() -> LorentzianMTF:
    """Family of the TMV set, started elsewhere."""
    return LorentzianMTF(1.0, 0.5, 0.2, 5.0, 50.0, learnable=FITTED)


def tmv_curve(frequency: Tensor) -> Tensor:
    """Evaluate the truth, written out."""
    w2 = frequency**2
    return 0.7 / (1 + 10 * w2) + 0.2 / (1 + 40 * w2) + 0.1
