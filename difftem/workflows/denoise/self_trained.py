"""Methods that train a network on nothing but the image: count splits, or pairs of exposures."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from difftem.data.whole_pairs import MeasuredPairs, PairSource, SplitPairs
from difftem.functional.wiener import wiener_estimate
from difftem.networks.bias_free_unet import BiasFreeUNet
from difftem.workflows.denoise.balance import balance
from difftem.workflows.denoise.image_training import ImageTraining, train_on_image

MINUTES = 3.0
_FRACTION = 0.5
_FROM_NOTHING, _FROM_WEIGHTS = 3e-4, 1e-4  # learning rates

RunNetwork = Callable[[nn.Module, Tensor, Tensor], Tensor]


def split(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    minutes: float | None = MINUTES,
    steps: int | None = None,
    start: nn.Module | None = None,
    run: RunNetwork | None = None,
    told: Callable[[ImageTraining], None] | None = None,
    progress: bool = False,
) -> Tensor:  # (y, x)
    """Train on random splits of the exposures' own electrons, then denoise all of them.

    Parameters
    ----------
    exposures : Tensor
        Whitened, shape ``(n, y, x)``.
    electrons : float
        Per pixel and exposure.
    generator : torch.Generator, optional
        Of weights, splits and crops.
    minutes : float, optional
        Budget of time.
    steps : int, optional
        Budget of steps instead.
    start : Module, optional
        Trained weights to begin with. Default: none; an untrained network is Wiener's filter.
    run : callable, optional
        ``run(network, noisy (y, x), wiener (y, x)) -> (y, x)``, e.g. in tiles. Default: whole.
    told : callable, optional
        Is given the account of the training.
    progress : bool
        Show a bar.

    Returns
    -------
    Tensor
        Estimate in units of one exposure: Wiener's, and of what the network adds as much as
        held-out blocks confirm, frequency by frequency.
    """
    seed = _seed(generator)
    source = SplitPairs(exposures, electrons, _FRACTION, seed)
    return _trained(
        source, exposures, electrons, generator, seed, minutes, steps, start, run, told, progress
    )


def n2n(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    minutes: float | None = MINUTES,
    steps: int | None = None,
    start: nn.Module | None = None,
    run: RunNetwork | None = None,
    told: Callable[[ImageTraining], None] | None = None,
    progress: bool = False,
) -> Tensor:  # (y, x)
    """Train exposures to predict one another (Noise2Noise), then denoise all of them.

    Parameters
    ----------
    exposures : Tensor
        Whitened, two at least, shape ``(n, y, x)``.
    electrons, generator, minutes, steps, start, run, told, progress
        As of `split`.

    Returns
    -------
    Tensor
        As of `split`.

    Raises
    ------
    ValueError
        For a single exposure.

    References
    ----------
    Lehtinen et al., ICML (2018).
    """
    if len(exposures) < 2:
        raise ValueError(
            f"method n2n needs at least 2 exposures of a field, got {len(exposures)}: for one, "
            "method split divides its electrons; see difftem docs frames"
        )
    seed = _seed(generator)
    source = MeasuredPairs(exposures, electrons, seed)
    return _trained(
        source, exposures, electrons, generator, seed, minutes, steps, start, run, told, progress
    )


def _trained(
    source: PairSource,
    exposures: Tensor,
    electrons: float,
    generator: torch.Generator | None,
    seed: int,
    minutes: float | None,
    steps: int | None,
    start: nn.Module | None,
    run: RunNetwork | None,
    told: Callable[[ImageTraining], None] | None,
    progress: bool,
) -> Tensor:  # (y, x)
    """Train and apply."""
    network = _untrained(seed).to(exposures) if start is None else start
    training = train_on_image(
        network,
        [source],
        minutes=None if steps else minutes,
        steps=steps,
        learning_rate=_FROM_NOTHING if start is None else _FROM_WEIGHTS,
        seed=seed,
        progress=progress,
    )
    if told is not None:
        told(training)

    def method(
        exposures: Tensor, electrons: float, generator: torch.Generator | None = None
    ) -> Tensor:
        root = math.sqrt(len(exposures))
        noisy = exposures.mean(0) * root
        return (run or _whole)(training.network, noisy, wiener_estimate(noisy)) / root

    if not training.kept:
        return method(exposures, electrons)
    (where,) = training.held_out
    return balance(method, where=where.to(exposures.device))(exposures, electrons, generator)


def _untrained(seed: int) -> nn.Module:
    """Make a network whose weights depend on the seed alone, and leave the global state alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BiasFreeUNet()


@torch.no_grad()
def _whole(network: nn.Module, noisy: Tensor, wiener: Tensor) -> Tensor:
    """Run a network on the whole image at once."""
    result: Tensor = network(torch.stack([noisy, wiener])[None])[0, 0]
    return result


def _seed(generator: torch.Generator | None) -> int:
    """Draw a seed."""
    device = torch.device("cpu") if generator is None else generator.device
    return int(torch.randint(2**31, (), generator=generator, device=device))
