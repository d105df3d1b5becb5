import logging
import math
from dataclasses import replace

import pytest
import torch
from lightning.pytorch import Trainer

from difftem.data.nanoparticles import Nanoparticles
from difftem.networks import DnCNN
from difftem.simulation.nanoparticles.make_set import make_set
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.tasks.denoise import Denoise
from tests.helpers.nanoparticle_set import SMALL_SET


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "set"
    make_set(folder, SMALL_SET)
    return str(folder)


def test_prepare_data_makes_the_set_and_tells_its_nearest_pair(tmp_path, caplog):
    few = SMALL_SET.resized(5)
    images = Nanoparticles(str(tmp_path / "set"), few, batch_size=3)
    with caplog.at_level(logging.INFO, "difftem"):
        images.prepare_data()
    (line,) = (each for each in caplog.messages if "PSNR" in each)
    assert "held-out image" in line
    assert float(line.split("PSNR ")[1].split(" dB")[0]) < 40
    batch = next(iter(images.train_dataloader()))
    assert {name: tuple(each.shape) for name, each in batch.items()} == {
        "noisy": (3, 1, 128, 128),
        "wiener": (3, 1, 128, 128),
        "target": (3, 1, 128, 128),
        "electrons": (3,),
        "kind": (3,),
        "pixel_size": (3,),
    }
    assert batch["pixel_size"].tolist() == pytest.approx([0.11] * 3)
    # Which recipe a set has, it says itself.
    assert Nanoparticles(str(tmp_path / "set")).config == few


def test_counts_are_whole_electrons_and_their_mean_is_the_target(folder):
    images = Nanoparticles(folder, vacuum=(0.45, 0.45))
    training = images.items[0]
    first = training[0, 2]
    mean = float(first["electrons"])
    counts = first["noisy"].double() * math.sqrt(mean) + mean
    assert float((counts - counts.round()).abs().max()) < 1e-4
    assert float(counts.min()) > -1e-4
    expected = mean + math.sqrt(mean) * first["target"].double()
    total = torch.zeros_like(expected)
    n = 80
    for epoch in range(n):
        frame = training[epoch, 2]
        m = float(frame["electrons"])
        total += frame["noisy"].double() * math.sqrt(m) + m
    error = total / n - expected
    # Poisson: the variance is the mean.
    assert float((error / (expected / n).sqrt()).square().mean()) == pytest.approx(1.0, abs=0.05)
    # The vacuum is the upper edge of the frame.
    assert float((total / n)[..., :8, :].mean()) == pytest.approx(0.45, abs=0.01)


def test_the_vacuum_level_is_drawn_for_training_and_fixed_for_validation(folder):
    images = Nanoparticles(folder, vacuum=(0.2, 0.8), validation_vacuum=4.5)
    training, validation, test = images.items
    # All of one image: levels spread as they are drawn.
    levels = torch.tensor([float(training[epoch, 0]["electrons"]) for epoch in range(40)])
    assert 0.2 < levels.min() < 0.35
    assert 0.65 < levels.max() < 0.82
    for items in (validation, test):
        assert float(items[0, 0]["electrons"]) == pytest.approx(4.5, rel=0.05)
        assert torch.equal(items[0, 1]["noisy"], items[0, 1]["noisy"])


def test_splits_contrasts_and_columns_of_the_manifest_choose_images(folder):
    whole = NanoparticleSet(folder)
    models = [
        {whole.rows[i]["model"] for i in items.source.indices}
        for items in Nanoparticles(folder).items
    ]
    assert models == [{0, 1, 2}, {3}, {4}]
    white = Nanoparticles(folder, contrasts=["white"]).items[0].source.indices
    assert white == [i for i in range(6) if whole.rows[i]["contrast"] == "white"]
    assert white
    near = Nanoparticles(folder, where={"defocus_um": [-0.01, 0.0]}).items
    assert near[0].source.indices == [i for i in range(6) if whole.rows[i]["defocus_um"] <= 0]
    assert near[1].source.indices == [6, 7]
    shape = whole.rows[0]["shape"]
    others = Nanoparticles(folder, where={"not_shape": [shape]}).items[0].source.indices
    assert others == [i for i in range(6) if whole.rows[i]["shape"] != shape]


def test_images_on_the_fly_are_of_new_models_in_every_epoch(folder):
    imaging = replace(SMALL_SET.imaging, n_defocus=4)
    images = Nanoparticles(None, replace(SMALL_SET, imaging=imaging), batch_size=1)
    images.prepare_data()
    training, validation, _ = images.items
    assert len(training) == 3
    assert torch.equal(training[0, 1]["noisy"], training[0, 1]["noisy"])
    first, second = training.source.clean(0, 1)[1], training.source.clean(1, 1)[1]
    assert first["seed"] != second["seed"]
    assert torch.equal(validation[0, 0]["target"], validation[0, 0]["target"])


def test_a_network_trains_on_them(folder, tmp_path):
    images = Nanoparticles(folder, batch_size=2, crop=32, crops=2, upright=True)
    task = Denoise(DnCNN(channels=4, depth=3), panels=1)
    trainer = Trainer(
        default_root_dir=tmp_path,
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(task, images)
    assert task.panels[0].kind in ("white", "black", "intermediate")
    assert math.isfinite(float(trainer.callback_metrics["val/loss"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vacuum": (0.0, 1.0)}, "vacuum must be two positive"),
        ({"crop": 256}, "crop must be at most the image's side of 128"),
        ({"contrasts": ["grey"]}, "contrasts must be some of white, black, intermediate"),
        ({"workers": -1}, "workers must be 0 or more"),
        ({"where": {"size": [1, 2]}}, "where: the manifest has no column 'size'"),
        ({"where": {"blur": ["much"]}}, "where.blur: the column blur holds numbers"),
        ({"where": {"blur": [1.0, 2.0, 3.0]}}, "where.blur must be two numbers"),
        ({"where": {"blur": [0.0, 0.1]}}, "no images of the split train are left"),
    ],
)
def test_impossible_settings_are_refused(folder, change, message):
    with pytest.raises(ValueError, match=message):
        Nanoparticles(folder, **change).setup()


def test_a_set_too_small_for_validation_says_what_would_do(tmp_path):
    images = Nanoparticles(str(tmp_path / "set"), SMALL_SET.resized(1))
    images.prepare_data()
    with pytest.raises(ValueError, match=r"none of the 1 models is of the split validation: give"):
        images.setup()


def test_a_held_out_image_that_training_shows_is_refused(folder, tmp_path):
    twins = replace(SMALL_SET, n_models=5)
    images = Nanoparticles(str(tmp_path / "set"), twins)
    make_set(tmp_path / "set", twins)
    chunks = tmp_path / "set/images.zarr"
    (chunks / "8.0.0").write_bytes((chunks / "1.0.0").read_bytes())
    with pytest.raises(ValueError, match=r"held-out item 8 is training item 1 to .* at most 40 dB"):
        images.prepare_data()
