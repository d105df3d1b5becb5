"""Blank images through all methods."""

import math

import pytest
import torch

from experiments._base.denoisers import NamedDenoiser
from experiments._base.score_cache import ScoreCache
from experiments._base.users_methods import users_methods
from experiments.false_positives.run import read_config, report
from experiments.false_positives.score import numbers, score_blanks

CONFIG = read_config() | {"size": 128, "seeds": [0], "cameras": {"k2_300kv": [34.7, 0.854]}}


def test_what_is_drawn_is_in_percent_of_the_mean(generator):
    noise = torch.randn(256, 256, generator=generator)
    found = numbers(noise, 25.0, 4.0)
    assert found["rms_percent_of_mean"] == pytest.approx(100 / math.sqrt(25), rel=0.02)
    assert found["share_of_noise_power"] == pytest.approx(1, rel=0.02)
    spot = torch.zeros(100, 100)
    spot[10:12, 20:22] = 1.0
    assert numbers(spot, 25.0, 4.0)["specks_per_mpx"] == 100
    assert numbers(spot, 25.0, 4.0)["largest_percent_of_mean"] == pytest.approx(20, rel=1e-3)


def test_methods_see_the_same_blanks_and_one_that_lacks_a_package_is_left_out(tmp_path, capsys):
    seen = []

    def watch(exposures, electrons, generator, pixel_size):
        seen.append(exposures)
        return exposures[0]

    def lacks(exposures, electrons, generator, pixel_size):
        raise ValueError("install it with pip install something")

    methods = [NamedDenoiser("a", "a", watch), NamedDenoiser("b", "b", lacks)]
    methods += [*users_methods(["constant"]), NamedDenoiser("c", "c", watch)]
    rows = score_blanks(methods, CONFIG, ScoreCache(tmp_path / "scores.jsonl"))
    assert [row["method"] for row in rows] == ["a", "constant", "c"] * 2
    assert seen[0] is seen[1]
    assert "pip install something: left out" in capsys.readouterr().err
    # White noise of variance 1 is what a user's blank image is whitened to.
    assert rows[0]["share_of_noise_power"] == pytest.approx(1, abs=0.1)
    assert rows[1]["largest_percent_of_mean"] == 0
    text = report(rows, CONFIG)
    assert "| constant | vacuum" in text and "1 images of 128²" in text
