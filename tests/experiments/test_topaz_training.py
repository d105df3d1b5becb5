"""Topaz's place is taken by a script that leaves models as it does."""

import json
import sys

import pytest
import torch

from difftem.data.simulated_pairs import SimulatedPairs
from difftem.io.mrc import read_mrc
from difftem.simulation.bank.config import BankConfig
from experiments.topaz_training import run

RECIPE = BankConfig(
    n_items=3,
    size=64,
    validation_every=3,
    pixel_size=(4.0, 5.0),
    full_band=0.0,
    shares={"phantom": 1.0},
    padding=8,
)
TWO_EPOCHS = """
printf '# [1/3] 100.00%% loss=1.02        1 1.5 0.9\\n'; echo one. > model_epoch1.sav
printf '2 0.75 0.5\\n'; echo two. > model_epoch2.sav
echo "$@" > words; printf x > model_epoch3.sav
"""


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Make a function that trains with a script as Topaz, on a small bank."""
    path = tmp_path / "topaz"
    monkeypatch.setenv("DIFFTEM_TOPAZ", str(path))
    monkeypatch.setattr(
        run,
        "simulated_pairs",
        lambda bank, electrons: SimulatedPairs(
            bank, RECIPE, target="noisy", electrons=electrons, textures=0.0, gradients=0.0
        ),
    )

    def call(lines, *more):
        path.write_text(f"#!/bin/sh\n{lines}\n", "utf-8")
        path.chmod(0o755)
        words = [
            "--bank",
            str(tmp_path / "bank"),
            "--output",
            str(tmp_path / "out"),
            "--pairs",
            "3",
        ]
        words += ["--size", "48", "--crop", "32", *more]
        monkeypatch.setattr(sys, "argv", ["run", *words])
        return run.main()

    return call


def test_pairs_are_written_and_the_last_whole_model_is_kept_with_its_account(train, tmp_path):
    assert train(TWO_EPOCHS, "--electrons", "40", "80") == 0
    out = tmp_path / "out"
    assert (out / "topaz.sav").read_text() == "two.\n"
    account = json.loads((out / "topaz.json").read_text())
    assert account["training"]["epochs"] == 2 and account["training"]["seconds"] > 0
    assert account["training"]["data_values"]["noisy_target"]
    assert account["losses"][-1] == {"epoch": 2, "training": 0.75, "validation": 0.5}
    assert "-a a -b b --arch unet --save-prefix model" in (out / "words").read_text()
    for i in range(3):
        a, b = (read_mrc(out / name / f"{i:04d}.mrc") for name in ("a", "b"))
        assert a.data.squeeze().shape == (48, 48)
        difference = torch.from_numpy(a.data - b.data)
        assert difference.var().item() == pytest.approx(2, rel=0.2)  # two noises of 1
    first, again = (read_mrc(out / "a" / f"{i:04d}.mrc").data for i in (0, 2))
    assert abs(first - again).max() > 0.1  # the same item with other noise


def test_time_ends_a_training_that_goes_on(train, tmp_path, capsys):
    assert train(f"{TWO_EPOCHS} exec sleep 60", "--minutes", "0.01") == 0
    assert "0.01 minutes are over" in capsys.readouterr().out
    assert (tmp_path / "out" / "topaz.sav").read_text() == "two.\n"


def test_what_cannot_be_is_one_line(train, tmp_path, capsys):
    assert train("echo 'ValueError: too small' >&2; exit 1") == 2
    assert "left no model in" in (line := capsys.readouterr().err) and "too small" in line
    assert train(TWO_EPOCHS) == 2
    assert "out exists: name another --output" in capsys.readouterr().err
    assert train(TWO_EPOCHS, "--output", str(tmp_path / "new"), "--size", "65") == 2
    assert "--size must be at least --crop of 32" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_the_bank_is_that_of_noise2noise(tmp_path):
    data = run.simulated_pairs(str(tmp_path), (2.0, 3.0))
    assert data.config.n_items == 1400 and data.provenance["noisy_target"]
    assert data.provenance["electrons"] == (2.0, 3.0)
