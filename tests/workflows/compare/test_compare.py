"""Scores of images and volumes whose signal and noise are known."""

import math

import numpy as np
import pytest
import torch

import difftem
from difftem.functional.grid import frequency_grid, radius
from difftem.io.mrc import write_mrc
from difftem.io.volume import to_imod
from difftem.tomography.wedge import wedge_mask

SIZE = 2.0  # Å


def known_ssnr(q):
    """Ratio of signal power to noise power, by cycles/pixel."""
    return 8 * torch.exp(-((q / 0.15) ** 2))


def signal(shape, generator):
    """Random signal of known power, where white noise of variance 1 has as much in every voxel."""
    q = radius(frequency_grid(shape, 1.0, half=True))
    white = torch.fft.rfftn(torch.randn(shape, generator=generator, dtype=torch.float64))
    return torch.fft.irfftn(white * known_ssnr(q).sqrt(), s=shape)


@pytest.fixture
def write(tmp_path):
    """Write an array as MRC, and return its path."""

    def call(name, array, size=SIZE):
        array = np.asarray(array, np.float32)
        write_mrc(tmp_path / name, array, size, is_volume=array.ndim == 3)
        return tmp_path / name

    return call


@pytest.fixture
def noisy(generator):
    """Volume, and two of it with independent noise of variance 1."""
    true = signal((48, 64, 56), generator)
    return true, true + torch.randn(2, *true.shape, generator=generator)


def test_volumes_cross_the_thresholds_where_their_noise_says(write, noisy):
    true, (first, second) = noisy
    files = write("first.mrc", 40 + 3 * first), write("second.mrc", second)
    found = difftem.compare(files[1], truth=write("truth.mrc", true))
    assert (found.kind, found.mode) == ("volume", "truth")
    scores = found.scores["second.mrc"]
    expected = 0.15 * math.sqrt(math.log(24)) / SIZE  # SSNR = 1/3
    assert scores["fsc_0.5_per_angstrom"] == pytest.approx(expected, rel=0.03)
    assert scores["fsc_0.5_angstrom"] == pytest.approx(1 / scores["fsc_0.5_per_angstrom"])
    power = true.var().item()
    assert scores["correlation"] == pytest.approx(math.sqrt(power / (1 + power)), abs=0.01)
    assert scores["nmse"] == pytest.approx(1 - scores["correlation"] ** 2, abs=1e-6)
    assert scores["background_noise_to_signal"] == pytest.approx(1 / math.sqrt(power), rel=0.03)
    halves = difftem.compare(files[0], files[1], mask="none")
    assert halves.mode == "halves"
    at = halves.scores["second.mrc"]["fsc_0.143_per_angstrom"]
    ssnr = 0.143 / (1 - 0.143)
    assert at == pytest.approx(0.15 * math.sqrt(math.log(8 / ssnr)) / SIZE, rel=0.05)
    found = halves.scores["second.mrc"]["noise_to_signal"]
    assert found == pytest.approx(1 / math.sqrt(power), rel=0.03)


def test_grey_values_are_fitted_or_taken_as_they_are(write, noisy):
    true, _ = noisy
    files = [write("scaled.mrc", 5 - true / 4), write("shifted.mrc", true + 1)]
    truth = write("truth.mrc", true)
    found = difftem.compare(*files, truth=truth).scores["scaled.mrc"]
    assert (found["grey_scale"], found["grey_offset"]) == pytest.approx((-4, 20), rel=1e-5)
    assert found["nmse"] < 1e-9
    assert found["ssim_truth_range"] == pytest.approx(1, abs=1e-6)
    found = difftem.compare(*files, truth=truth, fit="none").scores["shifted.mrc"]
    assert found["nmse"] == pytest.approx(1 / true.var().item(), rel=1e-3)
    span = (true.max() - true.min()).item()
    assert found["psnr_truth_range_db"] == pytest.approx(20 * math.log10(span), abs=1e-3)


def test_without_the_missing_wedge_a_volume_agrees_up_to_the_end(write, noisy):
    true, _ = noisy
    tilts = torch.tensor([-60.0, 60.0])
    seen = torch.fft.irfftn(torch.fft.rfftn(true) * wedge_mask(tuple(true.shape), tilts),
                            s=true.shape)  # fmt: skip
    truth = write("truth.mrc", true)
    found = difftem.compare(write("seen.mrc", seen), truth=truth, tilts=(-60, 60), mask="none")
    everywhere, sampled = found.curves
    assert (everywhere.sampled, sampled.sampled) == (False, True)
    assert sampled.correlation[:-1].min() > 0.999
    middle = everywhere.correlation[4:-4].mean().item()
    assert middle == pytest.approx(math.sqrt(2 / 3), abs=0.03)
    (path := truth.with_suffix(".tlt")).write_text("-60\n0\n60\n")
    again = difftem.compare(truth.with_name("seen.mrc"), truth=truth, tilts=path, mask="none")
    assert torch.equal(again.curves[1].correlation, sampled.correlation)


def test_orders_of_axes_are_put_right_before_volumes_are_compared(write, noisy):
    true, _ = noisy
    turned = write("turned.mrc", to_imod(true.numpy()))
    truth = write("truth.mrc", true)
    with pytest.raises(ValueError, match=r"has 56 x 48 x 64 voxels.*56 x 64 x 48.*--axes imod"):
        difftem.compare(turned, truth=truth)
    found = difftem.compare(turned, truth=truth, axes="imod").scores["turned.mrc"]
    assert found["correlation"] == pytest.approx(1)
    found = difftem.compare(truth, truth=turned, truth_axes="imod").scores["truth.mrc"]
    assert found["correlation"] == pytest.approx(1)


def test_images_of_a_stack_add_up_and_their_errors_are_averaged(tmp_path, generator):
    true = torch.stack([signal((96, 80), generator) for _ in range(3)])
    image = true + torch.randn(true.shape, generator=generator)
    for name, array in {"image.mrcs": image, "truth.mrcs": true, "one.mrc": image[1],
                        "one_truth.mrc": true[1]}.items():  # fmt: skip
        write_mrc(tmp_path / name, array.numpy(), None)
    found = difftem.compare(tmp_path / "image.mrcs", truth=tmp_path / "truth.mrcs")
    assert (found.kind, found.pixel_size) == ("images", None)
    scores = found.scores["image.mrcs"]
    expected = 0.15 * math.sqrt(math.log(24))
    assert scores["frc_0.5_cycles_per_pixel"] == pytest.approx(expected, rel=0.06)
    each = difftem.compare(tmp_path / "one.mrc", truth=tmp_path / "one_truth.mrc").scores["one.mrc"]
    assert scores["nmse"] == pytest.approx(each["nmse"], rel=0.1)
    assert scores["nmse"] != each["nmse"]


def test_what_leaks_to_frequencies_that_two_files_lack_is_no_agreement(write, generator):
    q = radius(frequency_grid((600, 600), 1.0, half=True))
    noise = torch.randn(3, 600, 600, generator=generator)
    shared, *own = torch.fft.irfft2(torch.fft.rfft2(noise) * (q < 0.2))[:, :512, :512]
    files = [write(f"{number}.mrc", shared + each) for number, each in enumerate(own)]
    (curve,) = difftem.compare(*files).curves
    q = SIZE * curve.frequency
    assert curve.correlation[q < 0.19].mean().item() == pytest.approx(0.5, abs=0.02)
    assert curve.correlation[q > 0.4].tolist() == [0] * int((q > 0.4).sum())


def test_a_mask_limits_errors_to_its_inside_and_noise_to_its_outside(write, noisy, generator):
    true, _ = noisy
    z, y, x = torch.meshgrid(*[torch.arange(n) - n // 2.0 for n in true.shape], indexing="ij")
    weight = (z**2 + y**2 + x**2 < 18**2).double()
    true = true * weight
    spoiled = true + (1 - weight) * 2.0 * torch.randn(true.shape, generator=generator)
    files = write("spoiled.mrc", spoiled), write("truth.mrc", true), write("mask.mrc", weight)
    found = difftem.compare(files[0], truth=files[1], mask=files[2])
    scores = found.scores["spoiled.mrc"]
    assert scores["nmse"] < 1e-9
    expected = 2 / true.std().item()
    assert scores["background_noise_to_signal"] == pytest.approx(expected, rel=0.05)
    assert found.curves[0].correlation.min() > 0.999
    assert any("its edges are hard" in line for line in found.messages)
    ball = difftem.compare(files[0], truth=files[1], mask="sphere", mask_diameter=40.0)
    assert ball.scores["spoiled.mrc"]["nmse"] < 1e-9
    assert any("ball of 40 Å" in line for line in ball.facts)


def test_several_files_without_a_truth_are_compared_with_the_first(write, tmp_path, generator):
    paths = []
    for folder, image in zip(("a", "b", "c"), torch.randn(3, 64, 64, generator=generator),
                             strict=True):  # fmt: skip
        (tmp_path / folder).mkdir()
        paths.append(write(f"{folder}/v.mrc", image))
    found = difftem.compare(*paths, write("same.mrc", image), paths[2])
    assert (found.mode, found.against) == ("reference", "a/v.mrc")
    assert list(found.scores) == ["b/v.mrc", "c/v.mrc (3)", "same.mrc", "c/v.mrc (5)"]
    assert abs(found.scores["b/v.mrc"]["correlation"]) < 0.1
    assert found.scores["same.mrc"] == found.scores["c/v.mrc (5)"]
    assert "noise_to_signal" not in found.scores["same.mrc"]


def test_stacks_whose_headers_call_them_images_may_be_told_to_be_volumes(tmp_path, generator):
    paths = [tmp_path / f"{number}.mrc" for number in range(2)]
    for path, array in zip(paths, torch.randn(2, 3, 32, 40, generator=generator), strict=True):
        write_mrc(path, array.numpy(), SIZE)
    found = difftem.compare(*paths)
    assert found.kind == "images"
    assert "0.mrc, 1.mrc: the headers call them images (space group 0)" in found.messages[0]
    found = difftem.compare(*paths, kind="volume")
    assert (found.kind, found.facts[0]) == ("volume", "40 x 32 x 3 voxels (x, y, z) of 2 Å")
    write_mrc(paths[0], torch.randn(3, 32, 40).numpy(), SIZE, overwrite=True, is_volume=True)
    assert difftem.compare(*paths).kind == "volume"  # as the other one surely is
