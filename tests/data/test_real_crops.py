import math

import numpy as np
import pytest
import tifffile
import torch

from difftem.analysis.spectrum import power_spectrum
from difftem.data.real_crops import RealCrops
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer, lorentzians
from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc
from tests.helpers.rings import radial_average

SIDE = 512
GAIN, DOSE = 40.0, 20.0


def transfer(shape):
    frequency = radius(frequency_grid(shape, 1.0, half=True, dtype=torch.float32))
    return lorentzians(frequency, *(torch.tensor(v) for v in (0.7, 0.2, 0.1, 10.0, 40.0)))


@pytest.fixture(scope="module")
def ice():
    """Contrast of a field of ice larger than an image: 8 % rms below 0.07 cycles/pixel."""
    shape = (SIDE + 64, SIDE + 64)
    frequency = radius(frequency_grid(shape, 1.0, half=True, dtype=torch.float32))
    spectrum = torch.fft.rfft2(torch.randn(shape, generator=torch.Generator().manual_seed(1)))
    field = torch.fft.irfft2(spectrum * torch.exp(-((frequency / 0.05) ** 2)), s=shape)
    return 0.08 * field / field.std()


@pytest.fixture
def expose(ice, generator):
    """Image of the ice, shifted, as a camera with an MTF writes it."""

    def image(y=0, x=0, dose=DOSE, contrast=1.0):
        rate = dose * (1 + contrast * ice).clamp(min=0)
        blurred = GAIN * apply_transfer(
            torch.poisson(rate, generator=generator), transfer(rate.shape)
        )
        return blurred[32 - y : 32 - y + SIDE, 32 - x : 32 - x + SIDE].numpy()

    return image


def rings(data, gain=GAIN):
    """Power spectrum of the crops over gain x mean x H^2, in eight rings."""
    images = data.crops.images.double()
    side = images.shape[-1]
    window = torch.hann_window(side, dtype=torch.float64)  # crops do not meet at their ends
    images = (images - images.mean((-2, -1), keepdim=True)) * torch.outer(window, window)
    power = power_spectrum(images).mean(0) / torch.outer(window, window).square().mean()
    expected = gain * data.crops.means.double().mean() * transfer((side, side)) ** 2
    return radial_average(power / expected, (side, side), 8)[1]


def test_a_single_micrograph_gives_crops_with_the_noise_of_the_camera(tmp_path, expose):
    write_mrc(tmp_path / "a.mrc", expose(contrast=0.0), 1.3)
    data = RealCrops(str(tmp_path / "a.mrc"), size=128, n=9, gain=GAIN)
    (batch,) = data.train_dataloader()
    assert batch["images"].shape == (9, 128, 128)
    torch.testing.assert_close(batch["means"], batch["images"].mean((-2, -1)))
    facts = data.facts
    assert (facts.gain, facts.read_noise, facts.differences, facts.n_exposures) == (
        GAIN,
        None,
        False,
        1,
    )
    assert facts.pixel_size == pytest.approx(1.3)
    assert [box.score for box in facts.boxes] == sorted(box.score for box in facts.boxes)
    torch.testing.assert_close(rings(data)[1:], torch.ones(7).double(), rtol=0, atol=0.12)
    image = torch.from_numpy(np.array(expose(contrast=0.0)))
    assert image.shape == (SIDE, SIDE)
    box = facts.boxes[0]
    whole = data.pictures[0]
    assert whole.boxes == facts.boxes
    assert (whole.binning, tuple(whole.overview.shape)) == (1, (SIDE, SIDE))
    cut = whole.overview[box.y : box.y + 128, box.x : box.x + 128]
    torch.testing.assert_close(cut, batch["images"][0])


def test_two_files_of_a_field_become_differences_without_structure(tmp_path, expose):
    write_mrc(tmp_path / "a.mrc", expose(), 1.0)
    write_mrc(tmp_path / "b.mrc", expose(y=5, x=-11, dose=0.8 * DOSE), 1.0)
    paths = [str(tmp_path / "a.mrc"), str(tmp_path / "b.mrc")]
    data = RealCrops(paths, size=128, n=16, gain=GAIN, read_noise=3.0)
    facts = data.facts
    assert facts.differences
    assert facts.n_exposures == 2
    assert facts.read_noise == 3.0
    assert len(data.crops.images) == len(facts.boxes) >= 6
    assert float(data.crops.means.mean()) == pytest.approx(
        GAIN * DOSE * (1 + 0.8) * 0.8 / (1 + 0.64), rel=0.01
    )
    (shift,) = [note for note in facts.notes if "is shifted" in note]
    assert "exposure 2 is shifted by 5, -11 whole pixels (y, x)" in shift
    torch.testing.assert_close(rings(data), torch.ones(8).double(), rtol=0, atol=0.15)
    single = RealCrops(paths[0], size=128, n=16, boxes=write_boxes(tmp_path, facts.boxes))
    assert float(rings(single)[0]) > 3
    # Told not to subtract, each exposure is a crop of its own.
    raw = RealCrops(paths, size=128, n=16, differences=False)
    assert len(raw.crops.images) == 2 * len(raw.facts.boxes)


def write_boxes(folder, boxes):
    path = folder / "boxes.box"
    path.write_text("".join(f"{b.x} {b.y} {b.size} {b.size}\n" for b in boxes))
    return str(path)


def test_a_movie_becomes_the_difference_of_its_even_and_odd_halves(tmp_path, expose):
    frames = np.stack([expose(dose=DOSE / 3) for _ in range(7)])
    tifffile.imwrite(tmp_path / "movie.tif", frames)
    data = RealCrops(
        str(tmp_path / "movie.tif"), size=128, n=9, dose=DOSE / 3, dqe0=1.0, read_noise=2.0
    )
    facts = data.facts
    assert (facts.differences, facts.n_exposures) == (True, 2)
    assert facts.gain == pytest.approx(GAIN, rel=0.01)
    assert facts.read_noise == pytest.approx(2 * 3**0.5)
    assert float(data.crops.means.mean()) == pytest.approx(GAIN * DOSE, rel=0.02)
    assert any("the last of 7 frames is left out" in note for note in facts.notes)
    torch.testing.assert_close(rings(data), torch.ones(8).double(), rtol=0, atol=0.2)
    summed = RealCrops(str(tmp_path / "movie.tif"), size=128, n=9, frames="sum")
    assert (summed.facts.n_exposures, summed.facts.differences) == (1, False)
    assert float(summed.crops.means.mean()) == pytest.approx(7 * GAIN * DOSE / 3, rel=0.03)
    every = RealCrops(str(tmp_path / "movie.tif"), size=128, n=9, frames="exposures")
    assert len(every.crops.images) == 6 * len(every.facts.boxes)


def test_files_of_different_fields_stay_single(tmp_path, expose):
    write_mrc(tmp_path / "a.mrc", expose(), 1.0)
    write_mrc(tmp_path / "b.mrc", np.flipud(expose()), 1.0)
    paths = [str(tmp_path / "a.mrc"), str(tmp_path / "b.mrc")]
    facts = RealCrops(paths, size=128, n=8).facts
    assert (facts.n_exposures, facts.differences) == (1, False)
    assert facts.fields == ("a.mrc", "b.mrc")
    assert {box.field for box in facts.boxes} == {0, 1}
    assert any(note.startswith("single exposures: structure stays") for note in facts.notes)
    same = RealCrops(paths, size=128, n=8, fields="same").facts
    assert same.differences
    assert any("shows nothing to align by" in note for note in same.notes)


def test_bad_pixels_are_mended_counted_and_not_picked(tmp_path, expose):
    image = expose(contrast=0.0).copy()
    image[100:140, 100:140] = 0.0
    image[300, 300], image[301, 310] = np.nan, 1e6
    tifffile.imwrite(tmp_path / "a.tif", image.astype(np.float32))
    data = RealCrops(str(tmp_path / "a.tif"), size=128, n=50)
    found = "a.tif: 1602 bad pixels (1 not finite, 1601 hot or dead) replaced by the mean of"
    assert any(note.startswith(found) for note in data.facts.notes)
    assert torch.isfinite(data.crops.images).all()
    for box in data.facts.boxes:
        rows, columns = (
            max(0, min(140, start + 128) - max(100, start)) for start in (box.y, box.x)
        )
        assert rows * columns <= 1e-3 * 128**2
    (tmp_path / "dead.box").write_text("64 64 128 128\n")
    told = RealCrops(str(tmp_path / "a.tif"), size=128, boxes=str(tmp_path / "dead.box"))
    assert any("1 boxes have more than 0.1% bad pixels" in note for note in told.facts.notes)


def test_more_noise_than_electrons_have_and_a_headers_dose_are_noted(tmp_path, expose):
    path = tmp_path / "a.mrc"
    write_mrc(path, expose(contrast=0.0), 2.0)
    (tmp_path / "a.mrc.mdoc").write_text("[ZValue = 0]\nExposureDose = 5.0\n")
    notes = RealCrops(str(path), size=128, n=4).facts.notes
    assert any("the header's dose of 20 e/pixel would mean 39.9" in note for note in notes)
    assert any("no Thon rings seen" in note for note in notes)
    notes = RealCrops(str(path), size=128, n=4, gain=1.0).facts.notes
    assert any("does not agree with" in note for note in notes)
    assert any("more than counted electrons have" in note for note in notes)
    assert not any(
        "more than" in n for n in RealCrops(str(path), size=128, n=4, gain=40).facts.notes
    )


def test_input_that_cannot_be_used_is_refused(tmp_path, expose):
    path = str(tmp_path / "a.mrc")
    write_mrc(path, expose(), 1.0)

    def refused(message, paths=path, **arguments):
        with pytest.raises(InputError, match=message) as error:
            RealCrops(paths, **arguments).setup()
        assert "\n" not in str(error.value)

    refused(
        r"a\.mrc: the image, 512 x 512 pixels \(x, y\), is smaller than a crop of 600", size=600
    )
    (tmp_path / "a.box").write_text("500 0 128 128\n")
    refused("outside the image of 512 x 512", size=128, boxes=str(tmp_path / "a.box"))
    (tmp_path / "a.csv").write_text("x,y,pixel_size\n0,0,1.4\n")
    refused(r"pixel size is 1\.4 Å, but a\.mrc has 1 Å", size=128, boxes=str(tmp_path / "a.csv"))
    other = str(tmp_path / "b.mrc")
    write_mrc(other, expose()[:400], 1.0)
    refused(r"b\.mrc: is 512 x 400 pixels \(x, y\), a\.mrc of the", [path, other], fields="same")
    write_mrc(other, expose(), 1.2, overwrite=True)
    refused(r"b\.mrc: pixel size is 1\.2 Å, a\.mrc of the same", [path, other], fields="same")
    write_mrc(other, expose() - 5000, 1.0, overwrite=True)
    refused(r"b\.mrc: the mean grey value is -\d+.*: not raw counts", other, gain=2.0)
    with pytest.raises(ValueError, match=r"differences need two exposures of a\.mrc, got one"):
        RealCrops(path, size=128, differences=True).setup()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": []}, "paths must name a file"),
        ({"size": 16}, "size must be at least 32 pixels, got 16"),
        ({"n": 0}, "n must be positive"),
        ({"gain": -1.0}, "gain must be positive"),
        ({"gain": 1.0, "dose": 2.0}, "give gain or dose, not both"),
        ({"dqe0": 0.9}, "dqe0 applies with dose only"),
        ({"dose": 2.0, "dqe0": 1.1}, r"dqe0 must be in \(0, 1\], got 1.1"),
        ({"read_noise": math.inf}, "read_noise must not be negative, got inf"),
    ],
)
def test_values_outside_their_range_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RealCrops(**{"paths": "a.mrc", **arguments})


def test_figures_show_the_crops_and_where_they_are_from(tmp_path, expose):
    write_mrc(tmp_path / "a.mrc", expose(), 1.0)
    data = RealCrops(str(tmp_path / "a.mrc"), size=128, n=4)
    figures = data.figures()
    assert len(figures["crops"].axes) == 4
    (overview,) = figures["boxes"].axes
    boxes = {(round(p.get_x() + 0.5), round(p.get_y() + 0.5)) for p in overview.patches}
    assert boxes == {(box.x, box.y) for box in data.facts.boxes}


def test_counting_camera_has_the_noise_of_its_electrons(shared_data):
    path = str(shared_data / "micrographs/krios_k2_300kV_crop2048.mrc")
    data = RealCrops(path, size=256, n=20, gain=101.4)
    facts = data.facts
    assert facts.pixel_size == pytest.approx(0.854, abs=1e-4)
    assert len(facts.boxes) == 20
    assert any(": 5 bad pixels (0 not finite, 5 hot or dead)" in note for note in facts.notes)
    assert not any("more than counted" in note or "gain reference" in note for note in facts.notes)
    assert float(data.crops.means.mean()) / 101.4 == pytest.approx(35.2, abs=0.3)
    variance = data.crops.images.double().var((-2, -1))
    assert float((variance / data.crops.means / 101.4).mean()) == pytest.approx(1.04, abs=0.02)


def test_integrating_blur_of_a_falcon_lowers_the_variance(shared_data):
    path = str(shared_data / "micrographs/krios_falcon3EC_300kV_crop2048.mrc")
    assert RealCrops(path, size=256, n=20, dose=18.3).facts.gain is None
    data = RealCrops(path, size=256, n=20, dose=18.3, dqe0=1.0)
    assert data.facts.incident_gain == data.facts.gain
    assert data.facts.gain == pytest.approx(306.9, abs=0.1)
    assert data.facts.pixel_size == pytest.approx(0.667, abs=1e-4)
    variance = data.crops.images.double().var((-2, -1))
    assert float((variance / data.crops.means / data.facts.gain).mean()) == pytest.approx(
        0.225, abs=0.01
    )
    # The best boxes lie between the particles, the rest among them.
    contrast = [box.contrast for box in data.facts.boxes]
    assert np.mean(contrast[:5]) < 0.036 < data.pictures[0].contrast
