"""From a training to weights to a network."""

import json

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging

from difftem.io.errors import InputError
from difftem.io.weights import write_weights
from difftem.networks import BiasFreeUNet
from difftem.tasks.denoise import Denoise
from difftem.workflows.denoise.export_weights import ExportWeights
from difftem.workflows.denoise.load_network import (
    deviation_path,
    find_weights,
    load_deviation,
    load_network,
    shipped_names,
)
from tests.helpers.blobs import Blobs

SMALL = {"channels": [8, 8], "blocks": [1, 1], "unshuffle": 2, "in_channels": 2}


def fit(folder, steps=10, **options):
    task = Denoise(BiasFreeUNet(**SMALL), warm_up=2)
    trainer = Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[ExportWeights("small", folder), EMAWeightAveraging(decay=0.9)],
        **options,
    )
    trainer.fit(task, datamodule=Blobs())
    return task


def test_a_training_leaves_weights_that_load(tmp_path, generator):
    task = fit(tmp_path / "out")
    path = tmp_path / "out/small.safetensors"
    network = load_network(path)
    inputs = torch.randn(1, 2, 32, 32, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(network(inputs), task.network.eval()(inputs))
        assert not torch.allclose(network(inputs), inputs[:, 1:])
    account = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert account["network"] == {"class": "BiasFreeUNet", "config": SMALL}
    assert account["training"]["steps"] == 10
    assert account["training"]["seconds"] > 0
    assert account["training"]["data_values"] == {"size": 32, "recipe": "blobs"}
    assert account["training"]["task"]["loss"] == "supervised"
    assert account["validation"]["step"] == 8
    assert 0 < account["validation"]["val/ratio"] < 1.1
    assert network.account == account


def test_weights_are_the_averaged_ones_that_were_validated(tmp_path):
    task = fit(tmp_path, steps=8)
    network = load_network(tmp_path / "small.safetensors")
    for name, value in task.network.state_dict().items():  # averaged ones since training ended
        torch.testing.assert_close(network.state_dict()[name], value, atol=0, rtol=0)
    assert network.account["validation"]["step"] == 8


def test_a_trial_run_writes_nothing(tmp_path):
    fit(tmp_path / "out", fast_dev_run=True)
    assert not (tmp_path / "out").exists()


def network_account(**changes):
    return {"network": {"class": "BiasFreeUNet", "config": SMALL} | changes}


def test_the_network_of_deviations_is_no_denoiser():
    with pytest.raises(InputError, match="knows deviations, and does not denoise: give cryo"):
        load_network(deviation_path(find_weights("cryo")))
    assert load_deviation("cryo") is not None
    assert shipped_names() == ["atoms", "cryo"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"class": "ResNet"},
            "network.class must be one of BiasFreeUNet, DeviationNetwork, DnCNN",
        ),
        ({"config": {"width": 3}}, "network.config has unknown keys: width"),
        ({"config": {"channels": [10**9]}}, "must hold small whole numbers"),
        ({"config": {"channels": "wide"}}, "must hold small whole numbers"),
        ({"config": {"channels": 8}}, "network.config: "),
        ({"config": {**SMALL, "channels": [8, 12]}}, "shape of encoder.1.0.first.weight is "),
        ({"config": {**SMALL, "channels": [8] * 3, "blocks": [1] * 3}}, "is missing, that of"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, changes, message):
    path = tmp_path / "w.safetensors"
    write_weights(path, BiasFreeUNet(**SMALL).state_dict(), network_account(**changes))
    with pytest.raises(InputError, match=message) as caught:
        load_network(path)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_those_that_there_are():
    with pytest.raises(InputError, match="unknown weights 'nobody': give a file") as caught:
        load_network("nobody")
    assert all(name in str(caught.value) for name in shipped_names())


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_weights_load_and_scale(name, generator):
    network = load_network(name)
    inputs = torch.randn(1, network.in_channels, 64, 64, generator=generator)
    # Windows that know the level of the noise make no homogeneous function of atoms' network.
    factor = 1 if name == "atoms" else 3
    with torch.no_grad():
        once, more = network(inputs), network(factor * inputs)
    torch.testing.assert_close(more, factor * once, atol=1e-4, rtol=1e-4)
    assert 0 < float(once.std()) < 1
