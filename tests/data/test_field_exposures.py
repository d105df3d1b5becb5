import pytest
import torch

from difftem.data.field_exposures import FieldExposures
from difftem.functional.mtf import apply_transfer
from difftem.io.mrc import write_mrc
from difftem.modules import LorentzianMTF

RATE = 30.0


@pytest.fixture
def written(tmp_path, generator):
    """Counts of a field with a rod, and the file of a camera that blurs them."""
    rate = torch.full((128, 128), RATE)
    rate[:, 60:70] = 1.3 * RATE
    counts = torch.poisson(rate.expand(2, -1, -1), generator=generator)
    transfer = LorentzianMTF(a=0.5, b=0.0, c=0.5, alpha=5.0).transfer((128, 128), counts).detach()
    path = tmp_path / "field.mrc"
    write_mrc(path, (4 * apply_transfer(counts, transfer)).numpy(), 2.0)
    return str(path), counts, transfer


def batch(data):
    (found,) = data.train_dataloader()
    return found["exposures"]


@pytest.mark.parametrize("gain", [4.0, None])
def test_a_batch_is_all_exposures_in_electrons(written, gain):
    path, counts, transfer = written
    data = FieldExposures(path, frames="exposures", whiten=False, gain=gain)
    found = batch(data)
    assert found.shape == (2, 128, 128)
    blurred = apply_transfer(counts, transfer)
    slope = float((found * (blurred - blurred.mean())).mean() / blurred.var())
    tolerance = 0.1 if gain is None else 1e-3  # the noise tells the gain to this
    assert slope == pytest.approx(1, abs=tolerance)
    assert float(found.mean()) == pytest.approx(data.facts.electrons, rel=1e-4)
    assert data.facts.electrons == pytest.approx(float(counts.mean()), rel=tolerance)
    assert any("grey values per electron" in note for note in data.facts.notes)


def test_whitened_exposures_have_the_noise_of_counts(written):
    path, _, _ = written
    found = batch(FieldExposures(path, frames="exposures"))
    noise = (found[0] - found[1]) / 2**0.5
    assert float(noise.var()) == pytest.approx(float(found.mean()), rel=0.1)
    neighbours = (noise[:, 1:] * noise[:, :-1]).mean() / noise.var()
    assert abs(float(neighbours)) < 0.05


def test_the_middle_is_cut_out(written):
    path, _, _ = written
    whole = batch(FieldExposures(path, frames="exposures"))
    middle = batch(FieldExposures(path, frames="exposures", crop=100))
    torch.testing.assert_close(middle, whole[:, 14:114, 14:114])
    with pytest.raises(ValueError, match=r"field.mrc.*128 x 128 pixels: crop must not be 200"):
        FieldExposures(path, frames="exposures", crop=200).setup()


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="paths must name a file or more"):
        FieldExposures([])
    with pytest.raises(ValueError, match="crop must be positive, got 0"):
        FieldExposures("x.mrc", crop=0)
