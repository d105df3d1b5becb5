import math
from types import SimpleNamespace

import pytest
import torch

from difftem.data.count_split import CountSplit
from difftem.data.exposure_pairs import ExposurePairs
from difftem.io.errors import InputError
from tests.helpers.exposures import ELECTRONS, scene, write_exposures


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One exposure, and two."""
    path = tmp_path_factory.mktemp("exposures")
    write_exposures(path / "one.mrc", 1)
    write_exposures(path / "two.mrc", 2, seed=5)
    return path


@pytest.mark.parametrize(
    ("kind", "name", "electrons"),
    [(CountSplit, "one", ELECTRONS / 2), (ExposurePairs, "two", ELECTRONS)],
)
def test_batches_hold_pairs_of_the_scene_in_units_of_their_noise(folder, kind, name, electrons):
    data = kind(str(folder / f"{name}.mrc"), size=64, n=24, batch_size=12, seed=2)
    data.setup()
    batches = list(data.train_dataloader())
    assert len(batches) == 2
    batch = {key: torch.cat([each[key] for each in batches]) for key in batches[0]}
    for key in ("noisy", "wiener", "target"):
        assert batch[key].shape == (24, 1, 64, 64)
    torch.testing.assert_close(batch["electrons"], torch.full((24,), electrons), rtol=0.05, atol=0)
    # Scene and noise of either image; what they share is the scene.
    signal = electrons * float(scene(256).var())
    assert float(batch["noisy"].var()) == pytest.approx(1 + signal, rel=0.06)
    assert float((batch["noisy"] * batch["target"]).mean()) == pytest.approx(signal, rel=0.15)
    assert float((batch["wiener"] - batch["target"]).var()) == pytest.approx(1, abs=0.12)
    assert any("grey values per electron" in note for note in data.notes)


def test_epochs_differ_validation_does_not_and_they_share_no_row(folder):
    data = CountSplit(str(folder / "one.mrc"), size=64, n=8, n_validation=6, batch_size=8)
    data.setup()
    loader = data.train_dataloader()
    first = next(iter(loader))
    loader.sampler.set_epoch(1)
    assert not torch.equal(first["noisy"], next(iter(loader))["noisy"])
    loader.sampler.set_epoch(0)
    assert torch.equal(first["noisy"], next(iter(loader))["noisy"])
    one, again = (next(iter(data.val_dataloader())) for _ in range(2))
    assert torch.equal(one["noisy"], again["noisy"]) and len(one["noisy"]) == 6
    assert float(one["weight"].min()) == 1 and float(first["weight"].min()) == 1
    assert not torch.equal(one["noisy"][0], first["noisy"][0])


def test_processes_share_the_pairs_of_an_epoch(folder):
    data = CountSplit(str(folder / "one.mrc"), size=64, n=7, n_validation=2, batch_size=8)
    data.setup()
    orders = []
    for rank in range(3):
        data.trainer = SimpleNamespace(world_size=3, global_rank=rank)
        sampler = data.train_dataloader().sampler
        sampler.set_epoch(2)
        orders.append([*sampler])
    assert orders == [[14, 17], [15, 18], [16, 19]]


def test_one_exposure_is_no_pair_and_the_file_is_named(folder):
    with pytest.raises(InputError, match=r"one\.mrc.*at least 2 exposures of a field, got 1"):
        ExposurePairs(str(folder / "one.mrc"), size=64).setup()


def test_crops_as_large_as_the_image_leave_nothing_for_validation(folder):
    with pytest.raises(InputError, match=r"one\.mrc.*too small for crops of 200 pixels"):
        CountSplit(str(folder / "one.mrc"), size=200).setup()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": []}, "paths must name a file or more"),
        ({"fraction": 1.0}, "fraction must be between 0 and 1, got 1"),
        ({"size": 0}, "size must be positive, got 0"),
        ({"workers": -1}, "workers must not be negative, got -1"),
        ({"gain": math.nan}, "gain must be positive, got nan"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        CountSplit(**{"paths": "a.mrc", **arguments})


def test_real_scans_of_one_field_are_pairs(shared_data):
    data = ExposurePairs([str(shared_data / "pairs" / "test_000.mrc")], size=128, n=4)
    data.setup()
    batch = next(iter(data.train_dataloader()))
    assert batch["noisy"].shape == (4, 1, 128, 128)
    assert bool(torch.isfinite(batch["target"]).all())


def test_a_trainer_takes_the_pairs(folder, tmp_path):
    from lightning.pytorch import Trainer

    from difftem.networks import BiasFreeUNet
    from difftem.tasks.denoise import Denoise

    data = CountSplit(str(folder / "one.mrc"), size=64, n=8, n_validation=2, batch_size=4)
    task = Denoise(BiasFreeUNet(channels=(8, 8), blocks=(1, 1)), loss="count_split", warm_up=1)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(task, data)
    assert trainer.global_step == 4
    assert math.isfinite(float(trainer.callback_metrics["val/loss"]))
