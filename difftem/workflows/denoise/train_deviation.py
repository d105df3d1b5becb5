"""Train the network that knows how far a denoiser is from the truth."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from difftem.networks.deviation import DeviationNetwork, image_features, local_features

SHARE = math.erf(math.sqrt(0.5))  # of the pixels, within one standard deviation
_PIXELS = 6000  # of each image
_BATCH, _RATE = 8192, 3e-3
_LEAST = 1e-6  # of an error, in units of the noise


class DeviationSamples(NamedTuple):
    """Pixels of denoised images whose truth is known.

    Attributes
    ----------
    features : Tensor
        What a `DeviationNetwork` is given, shape ``(pixels, 13)``.
    log_errors : Tensor
        Logarithm of how far the estimate is from the truth, shape ``(pixels,)``.
    """

    features: Tensor
    log_errors: Tensor


@torch.no_grad()
def deviation_samples(
    denoiser: nn.Module,
    batches: Iterable[Mapping[str, Tensor]],
    generator: torch.Generator | None = None,
) -> DeviationSamples:
    """Denoise images and draw pixels of them.

    Parameters
    ----------
    denoiser : Module
        ``(b, 2, y, x)`` to ``(b, 1, y, x)``.
    batches : iterable of dict
        With ``noisy``, ``wiener`` and ``target``, each ``(b, 1, y, x)``.
    generator : torch.Generator, optional
        Draws the pixels.

    Returns
    -------
    DeviationSamples
        Six thousand pixels of each image.
    """
    features, errors = [], []
    for batch in batches:
        found = denoiser(torch.cat([batch["noisy"], batch["wiener"]], 1))
        for estimate, wiener, target in zip(
            found[:, 0], batch["wiener"][:, 0], batch["target"][:, 0], strict=True
        ):
            maps = local_features(estimate, wiener).flatten(1)
            chosen = torch.randint(0, maps.shape[1], (_PIXELS,), generator=generator)
            whole = image_features(estimate, wiener).expand(_PIXELS, -1)
            features.append(torch.cat([maps[:, chosen].T, whole], 1))
            errors.append((estimate - target).abs().flatten()[chosen])
    return DeviationSamples(torch.cat(features), torch.cat(errors).clamp(min=_LEAST).log())


def train_deviation(
    samples: DeviationSamples,
    steps: int = 3000,
    seed: int = 0,
) -> DeviationNetwork:
    r"""Fit the deviation that 68 % of the pixels are within, given what is seen around them.

    The loss is that of a quantile, with :math:`r = \ln|e| - \ln\sigma`:

    .. math:: L = \langle \max(p\, r, (p - 1)\, r) \rangle, \qquad p = \mathrm{erf}(1/\sqrt2)

    Parameters
    ----------
    samples : DeviationSamples
        To learn from.
    steps : int
        Of Adam.
    seed : int
        Of the start and the order.

    Returns
    -------
    DeviationNetwork
        Trained.

    References
    ----------
    Koenker & Bassett, Econometrica 46 (1978) 33.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        network = DeviationNetwork()
        adam = torch.optim.Adam(network.parameters(), _RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
        for _ in range(steps):
            chosen = torch.randint(0, len(samples.features), (_BATCH,))
            rest = samples.log_errors[chosen] - network(samples.features[chosen])
            loss = torch.maximum(SHARE * rest, (SHARE - 1) * rest).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
    return network.eval()
