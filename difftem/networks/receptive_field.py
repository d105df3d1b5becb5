"""How far a network sees, measured."""

from typing import NamedTuple

import torch
from torch import nn


class ReceptiveField(NamedTuple):
    """Sides in pixels of the square around an output pixel that holds its gradient.

    Attributes
    ----------
    everything : int
        All that is not zero.
    most : int
        99 % of the sum of absolute gradients.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import receptive_field
    >>> receptive_field(torch.nn.Conv2d(1, 1, 5, padding=2), channels=1, size=32).everything
    5
    """

    everything: int
    most: int


def receptive_field(
    module: nn.Module,
    channels: int = 2,
    size: int = 512,  # pixels
    pixels: int = 4,
    seed: int = 0,
) -> ReceptiveField:
    """Measure from which inputs output pixels get their values.

    Gradients at the weights as they are, at white noise: a network of untrained or dead levels
    sees less far than it could.

    Parameters
    ----------
    module : Module
        Takes ``(b, channels, y, x)``, gives ``(b, 1, y, x)``.
    channels : int
        Of its input.
    size : int
        Side of the noise in pixels; a field that reaches its edges is only known to be larger.
    pixels : int
        Output pixels that are tried, next to each other on the diagonal of the middle.
    seed : int
        Of the noise.

    Returns
    -------
    ReceptiveField
        The largest of the pixels tried; 0 where the output does not depend on the input.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import receptive_field
    >>> first, second = torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.Conv2d(4, 1, 3, padding=1)
    >>> two = torch.nn.Sequential(first, second)
    >>> receptive_field(two, channels=1, size=32).everything
    5
    """
    generator = torch.Generator().manual_seed(seed)
    like = next((each for each in module.parameters()), torch.zeros(()))
    noise = torch.randn(1, channels, size, size, generator=generator).to(like)
    noise.requires_grad_(True)
    training = module.training
    module.eval()
    output = module(noise)
    module.train(training)
    everything = most = 0
    for i in range(pixels):
        middle = size // 2 + i
        (gradient,) = torch.autograd.grad(
            output[0, 0, middle, middle], noise, retain_graph=i + 1 < pixels
        )
        weight = gradient.abs().sum((0, 1)).double()
        y, x = torch.meshgrid(*(torch.arange(size, device=weight.device),) * 2, indexing="ij")
        reach = torch.maximum((y - middle).abs(), (x - middle).abs())
        by_reach = torch.zeros(size, dtype=torch.float64, device=weight.device)
        by_reach.index_add_(0, reach.flatten(), weight.flatten())
        total = float(by_reach.sum())
        if total == 0:
            continue
        everything = max(everything, 2 * int(by_reach.nonzero().max()) + 1)
        inside = by_reach.cumsum(0) < 0.99 * total
        most = max(most, 2 * int(inside.sum()) + 1)
    return ReceptiveField(everything, most)
