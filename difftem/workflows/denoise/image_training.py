"""Training of a network on the very image that it is to denoise, within minutes."""

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import default_collate
from tqdm import tqdm

from difftem.data.held_out_blocks import choose_blocks
from difftem.data.pair_crops import PairCrops
from difftem.data.whole_pairs import PairSource
from difftem.workflows.denoise.held_out_score import HeldOutScore, mean_and_error

CROP, BATCH = 192, 4
_WARM_UP = 0.08  # of the training
_DECAY = 0.99  # of the moving average, once there are enough steps
_CHECKS = 8  # scores in a training
_SHARE = 0.15  # of the time, at most, for them
_CLIP = 1.0  # norm of the gradient
_ENDLESS = 10_000_000


@dataclass(frozen=True, eq=False)
class ImageTraining:
    """What training on an image came to.

    Attributes
    ----------
    network : Module
        The best by the score of held-out blocks, or the one it began with.
    gain, error : float
        Nats per 1000 held-out pixels that the best one is above the one it began with, and
        standard error of that difference.
    kept : bool
        The gain was beyond its error, so that `network` is a new one.
    steps : int
        Of training.
    seconds : float
        That it took.
    history : list of (int, float)
        Step and gain of each check.
    held_out : list of Tensor
        Pixels of each field that were not trained on, shape ``(y, x)``.
    last : Module
        With the average of the weights at the end, whether it is the best or not.
    """

    network: nn.Module
    gain: float
    error: float
    kept: bool
    steps: int
    seconds: float
    history: list[tuple[int, float]]
    held_out: list[Tensor]
    last: nn.Module

    def sentence(self) -> str:
        """Say in one line what was gained."""
        outcome = "kept" if self.kept else "not beyond the error: the weights stay as they were"
        return (
            f"{self.steps} steps in {self.seconds:.0f} s: {self.gain:+.3f} ± {self.error:.3f} nats "
            f"per 1000 held-out pixels, {outcome}"
        )


def train_on_image(
    network: nn.Module,
    sources: Sequence[PairSource],
    *,
    minutes: float | None = None,
    steps: int | None = None,
    learning_rate: float = 1e-4,
    pixel_size: float | None = None,
    seed: int = 0,
    errors: float = 1.0,
    progress: bool = False,
) -> ImageTraining:
    """Train on crops of an image's own pairs; keep the best weights that blocks never seen tell.

    A plain loop and no Trainer: the budget is seconds of the clock, of which a Trainer's start
    takes several; the loss leaves the held-out blocks out; checks come by the clock too.

    Parameters
    ----------
    network : Module
        Where to begin; it is not changed.
    sources : sequence of PairSource
        One per field.
    minutes : float, optional
        Budget of time; or:
    steps : int, optional
        Budget of steps. With it the result depends on `seed` alone.
    learning_rate : float
        Highest; it rises over the first part of the training, and falls to 0 at its end.
    pixel_size : float, optional
        Å; with it the ring of ice has no say in which weights are best.
    seed : int
        Of blocks and crops.
    errors : float
        Standard errors that the gain must exceed.
    progress : bool
        Show a bar.

    Returns
    -------
    ImageTraining
        With the network.

    Raises
    ------
    ValueError
        If not exactly one budget is given, and positive; or the image is too small.
    """
    if (minutes is None) == (steps is None):
        raise ValueError(f"give minutes or steps, got {minutes} and {steps}")
    budget = steps if minutes is None else minutes
    if budget is None or not (math.isfinite(budget) and budget > 0):
        raise ValueError(f"the budget must be positive, got {budget}")
    began = time.monotonic()
    generator = torch.Generator().manual_seed(seed)
    blocks = [choose_blocks(source.shape, generator) for source in sources]
    masks = [own.mask(source.shape) for own, source in zip(blocks, sources, strict=True)]
    weights = [(~mask).float() for mask in masks]
    crops = PairCrops(sources, weights, CROP, BATCH * (steps or _ENDLESS), seed)
    score = HeldOutScore(sources, blocks, pixel_size)
    start = score(network)
    cost = time.monotonic() - began

    # Convolutions of few channels on the CPU take less time so.
    live = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch: see Denoise
    average, best = copy.deepcopy(network), network
    adam = torch.optim.AdamW(live.parameters(), lr=learning_rate, weight_decay=0.0)
    gain, error = 0.0, math.inf
    history: list[tuple[int, float]] = []
    done, step, next_check = 0.0, 0, 1 / _CHECKS
    bar = tqdm(total=100, unit="%", disable=not progress, desc="adapting", leave=False)
    while done < 1:
        for group in adam.param_groups:
            group["lr"] = learning_rate * _rate(done)
        live.train()
        batch = default_collate([crops[BATCH * step + i] for i in range(BATCH)])
        adam.zero_grad(set_to_none=True)
        _loss(live, batch).backward()
        nn.utils.clip_grad_norm_(live.parameters(), _CLIP)
        adam.step()
        step += 1
        _follow(average, live, min(_DECAY, step / (step + 9)))
        if steps is None:
            done = (time.monotonic() - began + cost) / (60 * budget)
        else:
            done = step / steps
        if done >= min(next_check, 1.0):
            before = time.monotonic()
            found, scatter = mean_and_error(score(average) - start)
            cost = time.monotonic() - before
            history.append((step, found))
            if not history[1:] or found > gain:
                error = scatter
            if found > gain:
                gain, best = found, copy.deepcopy(average)
            pause = 1 / _CHECKS if steps else max(1 / _CHECKS, cost / (60 * budget) / _SHARE)
            next_check = done + pause
            bar.set_postfix_str(f"{found:+.3f} nats per 1000 held-out pixels")
        bar.update(min(100 * done, 100) - bar.n)
    bar.close()
    kept = gain > errors * error
    return ImageTraining(
        network=(best if kept else network).eval(),
        gain=gain,
        error=error,
        kept=kept,
        steps=step,
        seconds=time.monotonic() - began,
        history=history,
        held_out=masks,
        last=average.eval(),
    )


def _loss(network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Squared error against the other image of the pair, in units of its noise."""
    estimate = network(torch.cat([batch["noisy"], batch["wiener"]], 1))
    error = batch["weight"] * (estimate - batch["target"]).square()
    return (error.mean((1, 2, 3)) / batch["target_noise"]).mean()


def _rate(done: float) -> float:
    """Part of the learning rate at a part of the training: up in a line, down in a cosine."""
    if done < _WARM_UP:
        return max(done, 1e-3) / _WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min((done - _WARM_UP) / (1 - _WARM_UP), 1.0)))


@torch.no_grad()
def _follow(average: nn.Module, live: nn.Module, decay: float) -> None:
    """Move an average of the weights towards them."""
    for slow, fast in zip(average.parameters(), live.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
    for kept, new in zip(average.buffers(), live.buffers(), strict=True):
        kept.copy_(new)
