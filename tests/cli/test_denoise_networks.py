import json
import re

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from difftem.cli.main import main
from difftem.io.mrc import read_mrc, write_mrc
from difftem.io.weights import write_weights
from difftem.networks import BiasFreeUNet, Noise2NoiseUNet


def run(*arguments):
    return main(["denoise", *map(str, arguments)])


@pytest.fixture
def counts(tmp_path):
    """A micrograph of smooth structure, 40 e/pixel."""
    rng = np.random.default_rng(0)
    smooth = gaussian_filter(rng.standard_normal((192, 192)), 8, mode="wrap")
    image = rng.poisson(40 * (1 + 0.1 * smooth / smooth.std())).astype(np.float32)
    write_mrc(tmp_path / "in.mrc", image, 1.0)
    return tmp_path / "in.mrc"


def weights(path, tail=0.0):
    """Weights of a small network: random, its last layer of this standard deviation."""
    torch.manual_seed(1)
    network = BiasFreeUNet(channels=[8, 8], blocks=[1, 1])
    torch.nn.init.normal_(network.tail.weight, std=tail) if tail else None
    account = {"network": {"class": "BiasFreeUNet", "config": network.config}}
    write_weights(path, network.state_dict(), account)
    return path


def test_an_untrained_network_is_wieners_filter(counts, tmp_path):
    file = weights(tmp_path / "none.safetensors")
    sbd, wiener = tmp_path / "sbd.mrc", tmp_path / "wiener.mrc"
    more = "--method", "sbd", "--weights", file
    assert run(counts, "--output", sbd, *more, "--save", "std", "residual") == 0
    assert run(counts, "--output", wiener, "--method", "wiener") == 0
    a, b = read_mrc(sbd).data, read_mrc(wiener).data
    np.testing.assert_allclose(a, b, atol=1e-3)
    std = read_mrc(tmp_path / "sbd_std.mrc").data
    assert std.shape == a.shape
    assert 0 < std.min() < std.max() < np.sqrt(40)  # below the noise
    assert (tmp_path / "sbd_residual.mrc").is_file()


def test_a_bad_network_is_balanced_away(counts, tmp_path):
    file = weights(tmp_path / "random.safetensors", tail=0.05)
    images = {}
    fine = ("--pixel-size", "0.4")  # where the network is not believed about ice
    for name, more in (("balanced", fine), ("plain", (*fine, "--no-balance"))):
        out = tmp_path / f"{name}.mrc"
        assert run(counts, "--output", out, "--method", "sbd", "--weights", file, *more) == 0
        images[name] = read_mrc(out).data
    wiener_file = tmp_path / "wiener.mrc"
    assert run(counts, "--output", wiener_file, "--method", "wiener", *fine) == 0
    wiener = read_mrc(wiener_file).data
    off = {name: np.sqrt(((image - wiener) ** 2).mean()) for name, image in images.items()}
    assert off["balanced"] < 0.3 * off["plain"]


def refused(capsys, *arguments):
    assert run(*arguments) == 2
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("difftem: error")]
    assert len(lines) == 1
    return lines[0]


def test_weights_that_cannot_be_used_are_refused(counts, tmp_path, capsys):
    output = "--output", tmp_path / "out.mrc", "--method", "sbd", "--weights"
    assert "unknown weights 'other'" in refused(capsys, counts, *output, "other")
    missing = tmp_path / "missing.safetensors"
    assert "no such file" in refused(capsys, counts, *output, missing)
    damaged = weights(tmp_path / "damaged.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert "damaged.safetensors: " in refused(capsys, counts, *output, damaged)
    foreign = weights(tmp_path / "foreign.safetensors")
    account = json.loads(foreign.with_suffix(".json").read_text())
    account["network"]["class"] = "DnCNN"
    foreign.with_suffix(".json").write_text(json.dumps(account))
    assert "foreign" in refused(capsys, counts, *output, foreign)
    assert not (tmp_path / "out.mrc").exists()


def test_noise2noise_needs_two_exposures(counts, tmp_path, capsys):
    message = refused(capsys, counts, "--output", tmp_path / "out.mrc", "--method", "n2n")
    assert "method n2n needs 2 exposures of a field, there is 1" in message


def test_noise2noise_needs_weights_of_its_own_network(counts, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("DIFFTEM_NOISE2NOISE", raising=False)
    output = "--output", tmp_path / "out.mrc", "--method", "noise2noise"
    message = refused(capsys, counts, *output)
    assert "difftem fit --config experiments/noise2noise_training/fit.yaml" in message
    other = weights(tmp_path / "other.safetensors")
    message = refused(capsys, counts, *output, "--weights", other)
    assert "other.safetensors: must hold a Noise2NoiseUNet, got BiasFreeUNet" in message
    assert not (tmp_path / "out.mrc").exists()
    network = Noise2NoiseUNet(channels=4, levels=2, last=(4, 4))
    account = {"network": {"class": "Noise2NoiseUNet", "config": network.config}}
    write_weights(tmp_path / "mine.safetensors", network.state_dict(), account)
    assert run(counts, *output, "--weights", tmp_path / "mine.safetensors") == 0
    assert np.isfinite(read_mrc(tmp_path / "out.mrc").data).all()


def test_topaz_is_named_with_the_command_that_installs_it(counts, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DIFFTEM_TOPAZ", str(tmp_path / "none"))
    message = refused(capsys, counts, "--output", tmp_path / "out.mrc", "--method", "topaz_small")
    monkeypatch.delenv("DIFFTEM_TOPAZ_MODEL", raising=False)
    untrained = "--output", tmp_path / "out.mrc", "--method", "topaz_trained"
    assert "experiments.topaz_training.run trains one" in refused(capsys, counts, *untrained)
    assert f"not in {tmp_path}/none: python -m difftem.baselines.topaz_environment" in message
    assert not (tmp_path / "out.mrc").exists()


def test_options_of_other_methods_are_refused(counts, tmp_path, capsys):
    output = "--output", tmp_path / "out.mrc", "--method", "wiener"
    assert "adapt belongs to method sbd" in refused(capsys, counts, *output, "--adapt", 1)
    message = refused(capsys, counts, *output, "--weights", "mine.sav")
    assert "weights belongs to method sbd and noise2noise and topaz and topaz_trained" in message
    assert "minutes belongs to method split" in refused(capsys, counts, *output, "--minutes", 1)


def test_a_network_is_trained_on_the_image_and_adapted_to_it(counts, tmp_path, capsys):
    more = "--minutes", 0.02
    assert run(counts, "--output", tmp_path / "split.mrc", "--method", "split", *more) == 0
    assert re.search(r"split: \d+ steps in \d+ s: ", capsys.readouterr().err)
    file = weights(tmp_path / "none.safetensors")
    more = "--weights", file, "--adapt", 0.02
    assert run(counts, "--output", tmp_path / "sbd.mrc", "--method", "sbd", *more) == 0
    assert re.search(r"adapted to the images: \d+ steps", capsys.readouterr().err)


def test_marks_are_few_where_there_is_nothing(tmp_path):
    rng = np.random.default_rng(1)
    write_mrc(tmp_path / "in.mrc", rng.poisson(20, (256, 256)).astype(np.float32), 1.0)
    out = tmp_path / "out.mrc"
    assert run(tmp_path / "in.mrc", "--output", out, "--method", "wiener", "--mark") == 0
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["images"][0]["noise"]["marked_regions"] <= 1
    assert read_mrc(tmp_path / "out_marked.mrc").data.shape == (256, 256)
