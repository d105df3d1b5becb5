from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import LightningDataModule

from difftem.analysis.spectrum import power_spectrum
from difftem.data.flat_field import SyntheticFlatFields
from difftem.functional.grid import frequency_grid, radius
from tests.helpers.rings import radial_average

LORENTZIANS = {"mtf": "lorentzian", "mtf_parameters": {"a": 0.7, "b": 0.2, "c": 0.1}}


def measured_over_expected(data, read_noise=0.0):
    """Power spectrum of all crops over s0 H^2 + read noise squared, in eight rings."""
    images, means = data.crops.images.double(), data.crops.means.double()
    shape = images.shape[-2:]
    curve = data.truth(radius(frequency_grid(shape, 1.0, half=True)))
    expected = data.facts.gain * means.mean() * curve**2 + read_noise**2
    return radial_average(power_spectrum(images).mean(0) / expected, shape, 8)[1]


def test_a_batch_has_all_crops_and_their_means():
    data = SyntheticFlatFields(n=5, size=64, dose=30.0, gain=2.0, mtf="ideal")
    assert isinstance(data, LightningDataModule)
    for loader in (data.train_dataloader(), data.test_dataloader(), data.predict_dataloader()):
        (batch,) = loader
        assert batch["images"].shape == (5, 64, 64)
        assert batch["images"].dtype == torch.float32
        torch.testing.assert_close(batch["means"], batch["images"].mean((-2, -1)))
    assert float(batch["means"].mean()) == pytest.approx(60, rel=0.01)
    parts = list(SyntheticFlatFields(n=5, size=64, batch_size=2).train_dataloader())
    assert [len(part["images"]) for part in parts] == [2, 2, 1]


def test_spectrum_is_gain_times_mean_times_mtf_squared():
    data = SyntheticFlatFields(n=40, size=128, dose=5.0, gain=3.0, **LORENTZIANS)
    ratio = measured_over_expected(data)
    # 100 independent frequencies in the first ring, 40 times: a standard error of 0.016 there.
    torch.testing.assert_close(ratio, torch.ones(8).double(), rtol=0, atol=0.06)


def test_read_noise_adds_its_variance_and_is_told():
    data = SyntheticFlatFields(n=20, size=128, dose=5.0, gain=3.0, read_noise=4.0, **LORENTZIANS)
    assert data.facts.read_noise == 4.0
    ratio = measured_over_expected(data, read_noise=4.0)
    torch.testing.assert_close(ratio, torch.ones(8).double(), rtol=0, atol=0.06)
    unknown = SyntheticFlatFields(
        n=1, size=64, read_noise=4.0, gain_known=False, read_noise_known=False
    )
    assert (unknown.facts.gain, unknown.facts.read_noise) == (None, None)


def test_differences_have_the_spectrum_of_a_single_exposure_and_no_structure():
    same = {"n": 20, "size": 128, "dose": 40.0, "structure_rms": 0.1, **LORENTZIANS}
    single = SyntheticFlatFields(**same)
    ratio = measured_over_expected(single)
    assert float(ratio[0]) > 10  # ice, below 0.06 cycles/pixel
    for n_exposures in (2, 3):
        paired = SyntheticFlatFields(**same, n_exposures=n_exposures)
        assert paired.facts.differences
        assert paired.facts.n_exposures == n_exposures
        assert len(paired.crops.images) == 20 * (n_exposures - 1)
        ratio = measured_over_expected(paired)
        torch.testing.assert_close(ratio, torch.ones(8).double(), rtol=0, atol=0.06)
        assert float(paired.crops.means.mean()) == pytest.approx(40, rel=2e-3)


def test_exposures_of_a_crop_share_their_structure():
    data = SyntheticFlatFields(
        n=2, size=64, dose=1e4, structure_rms=0.1, n_exposures=2, differences=False, mtf="ideal"
    )
    assert not data.facts.differences
    first, other, again, _ = data.crops.images.flatten(1)  # exposure by exposure
    assert float(torch.corrcoef(torch.stack([first, again]))[0, 1]) > 0.98
    assert abs(float(torch.corrcoef(torch.stack([first, other]))[0, 1])) < 0.5
    assert float(first.std() / first.mean()) == pytest.approx(0.1, rel=0.02)


def test_structure_is_band_limited():
    data = SyntheticFlatFields(
        n=8, size=128, dose=1e6, structure_rms=0.1, structure_cutoff=0.05, mtf="ideal"
    )
    frequency, power = radial_average(power_spectrum(data.crops.images).mean(0), (128, 128), 32)
    band = (frequency > 0.01) & (frequency < 0.08)
    slope = torch.log(power[band] / power[band][0])
    expected = -2 * (frequency[band] ** 2 - frequency[band][0] ** 2) / 0.05**2
    torch.testing.assert_close(slope, expected, rtol=0, atol=0.35)


def test_same_seed_gives_the_same_bytes_and_more_crops_change_none():
    def make(**changes):
        return SyntheticFlatFields(**{"n": 3, "size": 64, "structure_rms": 0.05, **changes}).crops

    assert torch.equal(make().images, make().images)
    assert torch.equal(make(n=5).images[:3], make().images)
    assert not torch.equal(make(seed=1).images, make().images)


def test_a_whole_number_of_electrons_is_a_dose():
    whole, real = (SyntheticFlatFields(n=1, size=32, dose=dose).crops for dose in (20, 20.0))
    torch.testing.assert_close(whole.images, real.images, rtol=0, atol=0)


def test_a_margin_makes_crops_that_do_not_meet_at_their_ends():
    def seam(margin):
        images = SyntheticFlatFields(n=40, size=64, margin=margin, **LORENTZIANS).crops.images
        centered = images - images.mean()
        ends = (centered[:, :, 0] * centered[:, :, -1]).mean()
        return float(ends / (centered[:, :, 0] * centered[:, :, 1]).mean())

    assert seam(0) == pytest.approx(1, abs=0.15)
    assert seam(32) == pytest.approx(0, abs=0.15)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n", 0),
        ("size", -1),
        ("dose", 0.0),
        ("gain", float("nan")),
        ("n_exposures", 0),
        ("read_noise", -1.0),
        ("structure_rms", -0.1),
        ("structure_cutoff", 0.0),
        ("margin", -1),
        ("batch_size", 0),
    ],
)
def test_values_outside_their_range_are_named(argument, value):
    with pytest.raises(ValueError, match=f"^{argument} must"):
        SyntheticFlatFields(**{argument: value})


@pytest.mark.parametrize("n, processes, batch_size", [(4, 2, None), (7, 3, 2), (5, 4, 1)])
def test_processes_share_the_crops_in_equally_many_batches(n, processes, batch_size):
    data = SyntheticFlatFields(n=n, size=16, batch_size=batch_size)
    whole = data.crops.images
    shares = []
    for rank in range(processes):
        data.trainer = SimpleNamespace(world_size=processes, global_rank=rank)
        shares.append([each["images"] for each in data.train_dataloader()])
    assert len({len(share) for share in shares}) == 1
    seen = torch.cat([crops for share in shares for crops in share])
    assert len(seen) == n
    assert {each.sum().item() for each in seen} == {each.sum().item() for each in whole}


def test_more_processes_than_crops_are_refused():
    data = SyntheticFlatFields(n=2, size=16)
    data.trainer = SimpleNamespace(world_size=3, global_rank=0)
    with pytest.raises(ValueError, match="3 processes want a crop each at least, there are 2"):
        data.train_dataloader()
