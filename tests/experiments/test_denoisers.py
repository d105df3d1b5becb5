import json

import torch

from difftem.io.weights import write_weights
from difftem.networks import Noise2NoiseUNet
from experiments._base.denoisers import baselines


def test_methods_without_weights_or_program_are_said_and_left_out(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("DIFFTEM_NOISE2NOISE", raising=False)
    monkeypatch.setenv("DIFFTEM_TOPAZ", str(tmp_path))
    names = ["average", "topaz", "topaz_trained", "noise2noise"]
    assert [each.name for each in baselines(names)] == ["average"]
    said = capsys.readouterr().out.splitlines()
    starts = ["topaz is left out", "topaz_trained is left out", "noise2noise is left out"]
    assert [line.partition(":")[0] for line in said] == starts


def test_the_key_of_a_method_changes_with_its_weights(monkeypatch, tmp_path):
    keys = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = Noise2NoiseUNet(channels=4, levels=1, last=(4,))
        account = {
            "network": {"class": "Noise2NoiseUNet", "config": network.config},
            "training": {"seconds": 7.0},
        }
        path = tmp_path / f"{seed}.safetensors"
        write_weights(path, network.state_dict(), account)
        assert json.loads(path.with_suffix(".json").read_text("utf-8"))["training"]["seconds"] == 7
        monkeypatch.setenv("DIFFTEM_NOISE2NOISE", str(path))
        (found,) = baselines(["noise2noise"])
        assert found.training_seconds == 7
        assert found.run(torch.zeros(1, 8, 8), 5.0, None, None).shape == (8, 8)
        keys.append(found.key)
    assert keys[0] != keys[1]
