from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from lightning.pytorch import LightningModule, Trainer

from difftem.data.augment import augmented
from difftem.data.camera import draw_transfer
from difftem.data.epoch_sampler import EpochSampler
from difftem.data.near_duplicates import nearest_pair, refuse_near_duplicates
from difftem.data.noisy_items import KIND_NAMES, expose
from difftem.data.random_textures import random_texture
from difftem.data.simulated_pairs import SimulatedPairs
from difftem.functional.whitening import whiten
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.bank.bank import make_bank
from difftem.simulation.bank.config import BankConfig

RECIPE = BankConfig(
    n_items=6,
    size=64,
    validation_every=3,
    pixel_size=(4.0, 5.0),
    full_band=0.0,
    shares={"vesicle": 1.0, "empty": 0.3},
    padding=8,
)


def draw(seed=0):
    return Draw(torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("banks") / "bank"
    make_bank(folder, RECIPE)
    return str(folder)


def test_prepare_data_makes_the_bank_and_batches_have_their_keys(tmp_path):
    pairs = SimulatedPairs(str(tmp_path / "bank"), replace(RECIPE, n_items=3), batch_size=2)
    pairs.prepare_data()
    pairs.setup()
    (batch,) = list(pairs.train_dataloader())
    assert {name: tuple(each.shape) for name, each in batch.items()} == {
        "noisy": (2, 1, 64, 64),
        "wiener": (2, 1, 64, 64),
        "target": (2, 1, 64, 64),
        "electrons": (2,),
        "kind": (2,),
        "pixel_size": (2,),
    }
    assert all(batch[name].dtype == torch.float32 for name in ("noisy", "wiener", "target"))
    assert all(0 <= kind < len(KIND_NAMES) for kind in batch["kind"].tolist())


def test_an_item_is_the_same_from_any_process_and_another_in_another_epoch(folder):
    alone = SimulatedPairs(folder, RECIPE, seed=3)
    workers = SimulatedPairs(folder, RECIPE, seed=3, workers=2)
    here, there = list(alone.train_dataloader()), list(workers.train_dataloader())
    assert len(here) == len(there) == 2
    for first, second in zip(here, there, strict=True):
        assert all(torch.equal(first[name], second[name]) for name in first)
    training, _ = alone.items
    assert not torch.equal(training[0, 1]["noisy"], training[1, 1]["noisy"])
    assert torch.equal(training[1, 1]["noisy"], training[1, 1]["noisy"])


def test_validation_has_items_of_its_own_at_fixed_doses_with_fixed_noise(folder):
    pairs = SimulatedPairs(folder, RECIPE)
    training, validation = pairs.items
    assert not {item for item, _ in training.items} & {item for item, _ in validation.items}
    assert [electrons for _, electrons in validation.items] == [1.0, 4.0]
    first, second = list(pairs.val_dataloader()), list(pairs.val_dataloader())
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one["noisy"], two["noisy"])


def test_noisy_less_target_is_white_noise_of_variance_one():
    clean = 0.02 * torch.sin(torch.arange(256.0) / 9).expand(256, 256)
    transfer = torch.ones(256, 129)
    for electrons, read_noise in ((0.5, 0.0), (20.0, 0.0), (20.0, 3.0)):
        image = expose(clean, None, transfer, electrons, read_noise, draw())
        noise = (image["noisy"] - image["target"])[0]
        assert float(noise.var()) == pytest.approx(1.0, abs=0.02)
        power = torch.fft.fft2(noise).abs().square() / noise.numel()
        assert float(power[1:32, 1:32].mean()) == pytest.approx(1.0, abs=0.1)
        assert float(power[96:128, 96:128].mean()) == pytest.approx(1.0, abs=0.1)
        assert abs(float(image["target"].mean())) < 1e-5
        white = electrons / (1 + read_noise**2 / electrons)
        assert float(image["electrons"]) == pytest.approx(white, rel=0.02)


def test_the_target_is_the_mean_of_many_exposures_and_has_the_signal_in_noise_units():
    clean = 0.3 * torch.cos(torch.arange(64.0) / 5).expand(64, 64)
    transfer = torch.exp(-torch.arange(33.0) / 20).expand(64, 33)
    source = draw(1)
    images = [expose(clean, None, transfer, 30.0, 0.0, source) for _ in range(200)]
    mean = torch.stack([each["noisy"] for each in images]).mean(0)
    target = images[0]["target"]
    assert float((mean - target).square().mean()) == pytest.approx(1 / 200, rel=0.15)
    expected = 30**0.5 * torch.fft.irfft2(torch.fft.rfft2(clean) * transfer)
    expected = expected - expected.mean()
    assert torch.allclose(target[0], expected, atol=0.02 * float(expected.std()))


def test_ice_is_in_the_noisy_image_and_in_the_target_only_if_asked_for():
    clean, transfer = torch.zeros(128, 128), torch.ones(128, 65)
    ice = 0.2 * torch.randn(128, 128, generator=torch.Generator().manual_seed(2))
    without = expose(clean, ice, transfer, 100.0, 0.0, draw(2))
    assert float(without["target"].abs().max()) < 1e-4
    assert float(without["noisy"].var()) == pytest.approx(1 + 100 * 0.04, rel=0.05)
    shown = expose(clean, ice, transfer, 100.0, 0.0, draw(2), ice_in_target=True)
    assert float(shown["target"].std()) == pytest.approx(10 * 0.2, rel=0.03)
    assert torch.equal(shown["noisy"], without["noisy"])


def test_a_noisy_target_is_the_clean_one_with_unit_noise_of_its_own():
    clean = 0.2 * torch.sin(torch.arange(256.0) / 9).expand(256, 256)
    ice = 0.1 * torch.randn(256, 256, generator=torch.Generator().manual_seed(2))
    transfer = torch.ones(256, 129)
    for read_noise in (0.0, 3.0):
        image = expose(clean, ice, transfer, 40.0, read_noise, draw(), noisy_target=True)
        same = expose(clean, ice, transfer, 40.0, read_noise, draw())
        assert torch.equal(image["clean"], same["target"])
        assert torch.equal(image["noisy"], same["noisy"])
        noise, other = image["target"] - image["clean"], image["noisy"] - image["clean"]
        assert float(noise.var()) == pytest.approx(1.0, abs=0.02)
        assert abs(float((noise * other).mean())) < 0.02
        power = torch.fft.fft2(noise[0]).abs().square() / noise.numel()
        assert float(power[1:16, 1:16].mean()) == pytest.approx(1.0, abs=0.2)


def test_pairs_of_noisy_images_keep_the_clean_one_beside_them_in_crops_too(folder):
    pairs = SimulatedPairs(folder, RECIPE, target="noisy", textures=0.0, gradients=0.0)
    assert pairs.provenance["noisy_target"]
    batch = next(iter(pairs.train_dataloader()))
    crops = augmented(batch, 32, 0)
    for found in (batch, next(iter(pairs.val_dataloader())), crops):
        assert found["clean"].shape == found["target"].shape == found["noisy"].shape
        assert float((found["target"] - found["clean"]).std()) == pytest.approx(1, abs=0.1)


def test_whitening_a_camera_that_blurs_signal_and_noise_alike_gives_what_ideal_is_trained_on():
    counts = torch.poisson(torch.full((128, 128), 40.0), generator=torch.Generator().manual_seed(3))
    blur = torch.exp(-torch.arange(65.0) / 40).expand(128, 65)
    blurred = torch.fft.irfft2(torch.fft.rfft2(counts) * blur)
    restored = whiten(blurred, 40.0, 40**0.5 * blur)
    assert torch.allclose(restored, (counts - 40) / 40**0.5, atol=1e-3)


def test_transfers_start_at_one_and_stay_within_zero_and_one():
    source = draw(4)
    for _ in range(30):
        transfer = draw_transfer((32, 32), source)
        assert float(transfer[0, 0]) == pytest.approx(1.0, abs=1e-5)
        assert 0 < float(transfer.min()) and float(transfer.max()) <= 1 + 1e-5


def test_random_textures_have_contrast_of_mean_zero():
    source = draw(5)
    for _ in range(20):
        texture = random_texture((64, 64), source)
        assert bool(texture.isfinite().all())
        assert 0.001 < float(texture.std()) < 0.25
        assert abs(float(texture.mean())) < 0.05


def test_an_epoch_shows_every_item_once_and_processes_share_it():
    sampler = EpochSampler(10, seed=1)
    sampler.set_epoch(2)
    first = list(sampler)
    assert sorted(number for _, number in first) == list(range(10))
    assert {epoch for epoch, _ in first} == {2}
    shares = []
    for rank in range(2):
        half = EpochSampler(10, 1, processes=2, rank=rank)
        half.set_epoch(2)
        assert len(half) == 5
        shares += list(half)
    assert sorted(shares) == sorted(first)


def test_augmentation_moves_all_images_alike_and_whole_pixels_only():
    image = torch.arange(2 * 64.0).reshape(2, 1, 8, 8)
    batch = {"noisy": image, "wiener": image, "target": image, "electrons": torch.ones(2)}
    seen = set()
    for seed in range(40):
        found = augmented(batch, None, seed)
        assert torch.equal(found["noisy"], found["target"])
        assert torch.equal(found["noisy"].flatten(1).sort(1).values, image.flatten(1))
        seen.add(tuple(found["noisy"][0].flatten().tolist()))
    assert len(seen) == 8
    assert augmented(batch, 4, 0)["wiener"].shape == (2, 1, 4, 4)
    assert torch.equal(augmented(batch, 4, 7)["noisy"], augmented(batch, 4, 7)["noisy"])


def test_several_crops_of_an_image_are_cut_in_different_places():
    image = torch.arange(2 * 64.0 * 64).reshape(2, 1, 64, 64)
    batch = {"noisy": image, "wiener": image, "target": image, "electrons": torch.tensor([1.0, 2])}
    found = augmented(batch, 8, 0, crops=3)
    assert found["noisy"].shape == (6, 1, 8, 8)
    assert found["electrons"].tolist() == [1, 1, 1, 2, 2, 2]
    assert (found["target"][:3] < 64 * 64).all() and (found["target"][3:] >= 64 * 64).all()
    assert len({float(each.mean()) for each in found["noisy"]}) == 6


def test_near_duplicates_of_training_are_refused(tmp_path):
    config = replace(RECIPE, n_items=3, shares={"vesicle": 1.0})
    bank = make_bank(tmp_path / "bank", config)

    def contrast(index):
        return bank.read(index).contrast

    assert nearest_pair(contrast, [0, 1], [2]).psnr < 40
    bank.write(2, bank.read(1))
    with pytest.raises(ValueError, match="bank: held-out item 2 is training item 1"):
        refuse_near_duplicates(contrast, [0, 1], [2], bank.folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"electrons": (0.0, 1.0)}, "electrons must be two positive"),
        ({"crop": 128}, "crop must be at most"),
        ({"textures": 2.0}, "textures must be a share"),
        ({"target": "other"}, "target must be clean or noisy, got 'other'"),
        ({"workers": -1}, "workers must be 0 or more"),
        ({"bank": replace(RECIPE, n_items=2)}, "n_items must exceed"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        SimulatedPairs(str(tmp_path), **{"bank": RECIPE, **change})


class Watching(LightningModule):
    """Sums what it sees and learns nothing."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def training_step(self, batch, _):
        self.seen.append((self.current_epoch, float(batch["noisy"].square().sum())))
        return self.weight * 0

    def validation_step(self, batch, _):
        self.seen.append((-1, float(batch["noisy"].square().sum())))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def fitted(folder):
    module = Watching()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, datamodule=SimulatedPairs(folder, RECIPE, batch_size=1))
    return module.seen


def test_a_trainer_sees_new_noise_in_every_epoch_and_the_same_validation(folder):
    seen = fitted(folder)
    first, second, fixed = ([v for e, v in seen if e == epoch] for epoch in (0, 1, -1))
    assert len(first) == len(second) == 4
    assert not set(first) & set(second)
    assert fixed[: len(fixed) // 2] == fixed[len(fixed) // 2 :]
    assert fitted(folder) == seen


def test_the_shipped_recipe_is_the_default_one():
    path = Path(__file__).parents[2] / "experiments/denoise_training/fit.yaml"
    given = yaml.safe_load(path.read_text("utf-8"))["data"]["init_args"]
    recipe = BankConfig(**given.pop("bank"))
    assert recipe.key() == BankConfig().key()
    assert recipe.structures == ()
    SimulatedPairs(bank=recipe, **given)
