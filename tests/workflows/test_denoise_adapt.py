import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from difftem.data.whole_pairs import SplitPairs
from difftem.workflows.denoise.adapt import adapt, adaptation
from difftem.workflows.denoise.image_training import train_on_image
from tests.helpers.exposures import ELECTRONS, scene, whitened, whitened_exposures

SIDE = 128


class Scale(nn.Module):
    """Wiener's estimate times a number, plus the counts times another."""

    def __init__(self, wiener, counts=0.0):
        super().__init__()
        self.factors = nn.Parameter(torch.tensor([counts, wiener]))

    def forward(self, inputs):
        return (inputs * self.factors[:, None, None]).sum(1, keepdim=True)


@pytest.mark.parametrize("n", [1, 2])
def test_a_network_that_is_half_as_strong_as_it_should_be_is_set_right(n):
    field = whitened_exposures(n, SIDE)
    begin = Scale(0.5)
    found = adaptation(begin, field, steps=32, learning_rate=1e-1)
    assert found.kept and found.gain > 3 * found.error
    assert found.steps == 32
    assert found.network.factors[1].item() == pytest.approx(1.0, abs=0.2)
    assert begin.factors[1].item() == 0.5  # not changed
    # Whitened signal of power P: half of it costs P / 8 of the log likelihood.
    share = 0.5 if n == 1 else 1.0
    power = float(scene(SIDE).var()) * share * ELECTRONS
    assert found.gain == pytest.approx(1000 * power / 8, rel=0.3)
    assert f"{found.gain:+.3f}" in found.sentence() and "kept" in found.sentence()


def test_there_is_nothing_to_be_gained_from_noise(generator):
    noise = torch.randn(1, SIDE, SIDE, generator=generator)
    field = replace(whitened_exposures(1, SIDE), values=noise)
    begin = Scale(0.0)
    found = adaptation(begin, field, steps=24, learning_rate=1e-2)
    assert not found.kept and found.network is begin
    assert "stay as they were" in found.sentence()
    assert abs(found.last.factors[0].item()) < 0.05


def test_training_that_only_ruins_keeps_the_first_weights():
    class Ruined(Scale):
        """Worse with every step."""

        def forward(self, inputs):
            wrong = (self.factors - self.factors.detach()).sum()
            drift = (self.factors - torch.tensor([0.0, 1.0])).abs().sum().detach()
            return inputs[:, 1:] * (1 - 1e7 * drift) + wrong * inputs[:, :1]

    begin = Ruined(1.0)
    found = adaptation(begin, whitened_exposures(1, SIDE), steps=16)
    assert not found.kept and found.network is begin
    assert (
        found.gain == 0 and len(found.history) == 8 and all(gain < 0 for _, gain in found.history)
    )


def test_blocks_that_are_held_out_are_never_trained_on():
    # Noise of either part in the held-out blocks can change without a trace in the weights.
    values = whitened(1, SIDE)
    source = SplitPairs(values, ELECTRONS)
    first = train_on_image(Scale(0.5), [source], steps=3, seed=1)
    (mask,) = first.held_out
    assert int(mask.sum()) == 2 * 32**2

    class Corrupted:
        shape = source.shape

        def pair(self, number):
            pair = source.pair(number)
            pair.target[mask] = 1e3
            return pair

    again = train_on_image(Scale(0.5), [Corrupted()], steps=3, seed=1, errors=-math.inf)
    first = train_on_image(Scale(0.5), [source], steps=3, seed=1, errors=-math.inf)
    assert torch.equal(first.last.factors, again.last.factors)


def test_steps_and_seed_decide_everything():
    field = whitened_exposures(1, SIDE)
    one, again, other = (adapt(Scale(0.5), field, steps=8, seed=seed).factors for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_minutes_are_kept():
    found = adaptation(Scale(0.5), whitened_exposures(1, SIDE), 0.01)
    assert found.steps >= 1 and found.seconds < 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"minutes": 0.0}, "budget must be positive, got 0"),
        ({"minutes": math.inf}, "budget must be positive, got inf"),
        ({"minutes": None}, "give minutes or steps"),
    ],
)
def test_impossible_budgets_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        adapt(Scale(1.0), whitened_exposures(1, SIDE), **arguments)


def test_no_field_is_refused():
    with pytest.raises(ValueError, match="one field or more, got none"):
        adapt(Scale(1.0), [])
