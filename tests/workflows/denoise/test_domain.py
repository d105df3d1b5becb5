"""Networks that were trained at one pixel size, on images of others."""

import logging

import numpy as np
import pytest
import torch

import difftem
from difftem.cli.main import main
from difftem.io.mrc import read_mrc, write_mrc
from difftem.io.weights import write_weights
from difftem.networks import BiasFreeUNet
from difftem.workflows.denoise import choice
from difftem.workflows.denoise.choice import chosen_weights
from difftem.workflows.denoise.domain import TrainedDomain, at_trained_size, trained_domain
from difftem.workflows.denoise.load_network import SHIPPED

DOMAIN = TrainedDomain(0.06, (0.35, 0.55))


def lattice(side, pixel_size, electrons, seed=0):
    """Counts of a lattice of 3 Å: electrons per pixel of 0.06 Å, the mean and its share of them."""
    y, x = (pixel_size * (np.arange(side) + 0.5) for _ in range(2))
    truth = 1 + 0.3 * np.cos(2 * np.pi * y[:, None] / 3) * np.cos(2 * np.pi * x / 3)
    truth *= electrons * (pixel_size / 0.06) ** 2
    return np.random.default_rng(seed).poisson(truth).astype(np.float32), truth


@pytest.fixture
def atoms(tmp_path):
    """Weights of an untrained network, which is Wiener's filter, with a domain."""
    network = BiasFreeUNet(channels=[8, 8], blocks=[1, 1])
    account = {
        "network": {"class": "BiasFreeUNet", "config": network.config},
        "domain": {"pixel_size_angstrom": 0.06, "electrons": [0.35, 0.55]},
    }
    write_weights(tmp_path / "mine.safetensors", network.state_dict(), account)
    return tmp_path / "mine.safetensors"


def test_a_method_sees_the_contrast_and_the_noise_of_its_training():
    seen = {}

    def method(exposures, electrons, generator=None):
        seen.update(values=exposures, electrons=electrons)
        return exposures[0]

    whitened = {}
    for size, side in ((0.06, 400), (0.12, 200), (0.048, 500)):
        counts, _ = lattice(side, size, 0.45)
        mean = counts.mean()
        values = torch.from_numpy((counts - mean) / np.sqrt(mean))[None]
        back = at_trained_size(method, DOMAIN, size)(values, float(mean))
        assert back.shape == values.shape[1:]
        assert seen["values"].shape == (1, 400, 400)
        assert seen["electrons"] == pytest.approx(0.45, rel=0.02)
        whitened[size] = seen["values"][0]
    wave = whitened[0.06].new_tensor(lattice(400, 0.06, 1.0)[1] - 1)
    for values in whitened.values():
        assert float(values.var()) == pytest.approx(1.01, abs=0.02)  # noise and 0.45 x 0.3² / 4
        contrast = float((values * wave).sum() / wave.square().sum())
        assert contrast == pytest.approx(0.45**0.5, rel=0.06)


def test_other_pixel_sizes_and_doses_are_said(atoms, caplog):
    caplog.set_level(logging.INFO)
    for size, side, electrons, resampled, doubtful in (
        (0.0605, 160, 0.45, False, False),
        (0.12, 80, 0.45, True, False),
        (0.06, 160, 4.5, False, True),
        (0.06, 160, 0.03, False, True),
    ):
        caplog.clear()
        counts, truth = lattice(side, size, electrons)
        found = difftem.denoise(counts, weights=atoms, pixel_size=size, std=False, balance=False)
        wiener = difftem.denoise(counts, method="wiener", pixel_size=size, std=False)
        errors = [float(np.square(r.mean.numpy() - truth).mean()) for r in (found, wiener)]
        assert errors[0] == pytest.approx(errors[1], rel=0.3)  # the filter of the finer image
        lines = [line for line in found.messages if "mine" in line]
        assert any("resampled from 0.12 to 0.06 Å/pixel" in line for line in lines) == resampled
        assert any("electrons per pixel of 0.06 Å" in line for line in lines) == doubtful
    assert "times fewer than any" in caplog.text


def test_networks_of_counts_alone_are_not_adapted_and_that_is_said(tmp_path):
    network = BiasFreeUNet(channels=[8, 8], blocks=[1, 1], in_channels=1)
    account = {"network": {"class": "BiasFreeUNet", "config": network.config}}
    write_weights(tmp_path / "alone.safetensors", network.state_dict(), account)
    counts, _ = lattice(160, 0.06, 0.45, seed=1)
    with pytest.raises(ValueError, match=r"weights alone.safetensors see the counts alone: leave"):
        difftem.denoise(counts, weights=tmp_path / "alone.safetensors", pixel_size=0.06, adapt=0.1)


def test_what_was_measured_is_told_of_the_weights_that_it_was_measured_with(caplog):
    caplog.set_level(logging.INFO)
    counts, _ = lattice(128, 0.06, 0.45)
    for pixel_size, told in ((0.06, False), (None, True)):
        caplog.clear()
        difftem.denoise(counts, pixel_size=pixel_size, std=False, balance=False)
        assert ("on real micrographs (Falcon" in caplog.text) == told
        assert ("no pixel size: weights cryo" in caplog.text) == told
        assert ("pixels below 0.2 Å: weights atoms" in caplog.text) != told


def test_without_a_pixel_size_that_of_the_training_is_taken_and_said(atoms):
    found = difftem.denoise(lattice(128, 0.06, 0.45)[0], weights=atoms, std=False, balance=False)
    assert any("the image has no pixel size" in line for line in found.messages)


def test_the_command_resamples_says_so_and_keeps_size_and_mean(atoms, tmp_path, capsys):
    counts, _ = lattice(160, 0.1, 0.45)
    write_mrc(tmp_path / "in.mrc", counts, 0.1)
    output = tmp_path / "out.mrc"
    more = "--weights", atoms, "--save", "std"
    assert main(["denoise", *map(str, (tmp_path / "in.mrc", "--output", output, *more))]) == 0
    assert "resampled from 0.1 to 0.06 Å/pixel" in capsys.readouterr().err
    found = read_mrc(output)
    assert found.data.shape[-2:] == (160, 160)
    assert found.data.mean() == pytest.approx(counts.mean(), rel=1e-4)
    assert found.voxel_size[0] == pytest.approx(0.1)
    assert "resampled from 0.1" in output.with_suffix(".md").read_text("utf-8")
    again = ["denoise", str(tmp_path / "in.mrc"), "--output", str(tmp_path / "no.mrc")]
    assert main([*again, "--weights", str(atoms), "--adapt", "0.1"]) == 2
    assert "adapt trains weights" in capsys.readouterr().err
    write_mrc(tmp_path / "in.mrc", 0 * counts, 0.1, overwrite=True)
    assert main([*again, "--weights", str(atoms)]) == 2
    assert "every pixel is 0" in capsys.readouterr().err
    assert not (tmp_path / "no.mrc").exists()


def test_fine_pixels_choose_the_weights_for_atoms(monkeypatch):
    monkeypatch.setattr(choice, "shipped_names", lambda: ["atoms", "cryo"])
    assert [chosen_weights(size) for size in (None, 0.0489, 0.199, 0.2, 1.0)] == [
        "cryo",
        "atoms",
        "atoms",
        "cryo",
        "cryo",
    ]
    monkeypatch.setattr(choice, "shipped_names", lambda: ["cryo"])
    assert chosen_weights(0.05) == "cryo"


@pytest.mark.parametrize(
    "domain",
    ["all", {"electrons": [1, 2]}, {"pixel_size_angstrom": 0, "electrons": [1, 2]}]
    + [{"pixel_size_angstrom": 1, "electrons": each} for each in ([2, 1], [1], ["a", "b"])],
)
def test_a_domain_that_is_none_is_refused_in_one_line(domain):
    with pytest.raises(ValueError, match=r"here\.safetensors: domain must hold"):
        trained_domain({"domain": domain}, "here.safetensors")
    assert trained_domain({}, SHIPPED) is None
