import csv
import re

import numpy as np
import pytest
import torch

from difftem.cli.main import main
from difftem.data.knife_edge import KnifeEdge
from difftem.io.mrc import read_mrc, write_mrc
from difftem.io.star import read_mtf_star
from tests.helpers.flat_fields import GAIN, flat_fields, tmv_curve

SUFFIXES = (".star", ".csv", ".png", ".md")


@pytest.fixture
def flat(tmp_path):
    """One micrograph of vacuum through the TMV set's detector."""
    image = flat_fields(1, 640, rate=20.0)["images"][0]
    write_mrc(tmp_path / "flat.mrc", image.numpy(), 1.0)
    return tmp_path / "flat.mrc"


def estimate(*arguments):
    return main(["estimate-mtf", *map(str, arguments)])


def test_a_micrograph_becomes_a_star_file_with_table_report_and_pictures(tmp_path, flat, capsys):
    output = tmp_path / "mtf.star"
    assert estimate(flat, "--output", output, "--size", 128, "--gain", GAIN) == 0
    frequency, value = read_mtf_star(output)
    assert len(frequency) == 101
    assert (frequency[0], frequency[-1], value[0]) == (0.0, 0.5, 1.0)
    truth = tmv_curve(torch.from_numpy(frequency)).numpy()
    assert np.abs(value - truth).max() < 0.03
    with (tmp_path / "mtf.csv").open() as file:
        rows = list(csv.DictReader(file))
    inside = [
        float(r["lower_95"]) <= t <= float(r["upper_95"]) for r, t in zip(rows, truth, strict=True)
    ]
    assert sum(inside) > 60
    for name in ("mtf.png", "mtf_crops.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert "## Families" in (tmp_path / "mtf.md").read_text("utf-8")
    printed = capsys.readouterr()
    assert re.search(r"\| 0\.3 +\| 0\.5\d+ +\| 0\.0\d+", printed.out)
    assert "chi-square" in printed.out
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["flat.mrc", "mtf_crops.png", *(f"mtf{suffix}" for suffix in SUFFIXES)]
    )


def test_the_star_file_is_a_detector_of_simulate(tmp_path, flat):
    output = tmp_path / "mtf.star"
    assert estimate(flat, "--output", output, "--size", 128, "--family", "lorentzian") == 0
    small = ["--sampling.size", "[48, 48]", "--copies.count", "1", "--sampling.pixel_size", "4"]
    made = ["simulate", "--output", str(tmp_path / "run"), "--detector.mtf", str(output), *small]
    assert main(made) == 0
    images = read_mrc(tmp_path / "run/noise_free.mrc").data
    plain = ["simulate", "--output", str(tmp_path / "ideal"), "--detector.preset", "ideal", *small]
    assert main(plain) == 0
    ideal = read_mrc(tmp_path / "ideal/noise_free.mrc").data
    assert images.std() < 0.95 * ideal.std()


def test_two_exposures_are_subtracted_and_a_read_noise_is_taken_off(tmp_path, generator, capsys):
    bumps = torch.randn(1, 64, 64, generator=generator, dtype=torch.float64)
    structure = torch.nn.functional.interpolate(bumps[None], size=512, mode="bilinear")[0] * 0.1
    for seed, name in ((0, "a.mrc"), (1, "b.mrc")):
        image = flat_fields(1, 512, seed, 20.0, structure=structure, read_noise=4.0)["images"][0]
        write_mrc(tmp_path / name, image.numpy(), 1.0)
    output = tmp_path / "mtf.star"
    files = tmp_path / "a.mrc", tmp_path / "b.mrc"
    more = ["--size", 128, "--gain", GAIN, "--read-noise", 4.0, "--window", "none"]
    assert estimate(*files, "--output", output, *more) == 0
    assert "differences of aligned exposures" in capsys.readouterr().err
    frequency, value = read_mtf_star(output)
    assert np.abs(value - tmv_curve(torch.from_numpy(frequency)).numpy()).max() < 0.05


def test_a_knife_edge_gives_the_mtf_with_errors(tmp_path, capsys):
    data = KnifeEdge(size=384, n=2, dose=400.0, mtf="lorentzian")
    write_mrc(tmp_path / "edge.mrc", data.crops.images.numpy(), 1.0)
    output = tmp_path / "mtf.star"
    assert estimate(tmp_path / "edge.mrc", "--edge", "--output", output) == 0
    frequency, value = read_mtf_star(output)
    truth = tmv_curve(torch.from_numpy(frequency)).numpy()
    below = frequency < 0.45
    assert np.abs(value - truth)[below].max() < 0.03
    with (tmp_path / "mtf.csv").open() as file:
        errors = [float(row["standard_error"]) for row in csv.DictReader(file)]
    assert 1e-4 < errors[40] < 0.02
    assert "aperture of the pixel" in capsys.readouterr().err


def test_a_counting_camera_is_recognised_as_flat(tmp_path, generator, capsys):
    counts = torch.poisson(torch.full((640, 640), 10.0), generator=generator)
    write_mrc(tmp_path / "counts.mrc", counts.numpy(), 1.0)
    output = tmp_path / "mtf.star"
    assert estimate(tmp_path / "counts.mrc", "--output", output, "--size", 128) == 0
    assert "noise cannot give its MTF" in capsys.readouterr().err
    assert "noise cannot give its MTF" in (tmp_path / "mtf.md").read_text("utf-8")


def test_real_cameras_behave_as_published(tmp_path, shared_data, capsys):
    micrographs, curves = shared_data / "micrographs", shared_data / "detectors"
    output = tmp_path / "falcon.star"
    assert estimate(micrographs / "krios_falcon3EC_300kV_crop2048.mrc", "--output", output) == 0
    at = np.array([0.19, 0.25, 0.32, 0.38, 0.44])
    ours = np.interp(at, *read_mtf_star(output))
    published = np.interp(at, *read_mtf_star(curves / "mtf_falcon3EC_300kV.star"))
    assert np.abs(ours / ours[0] - published / published[0]).max() <= 0.04
    capsys.readouterr()
    k2 = micrographs / "krios_k2_300kV_crop2048.mrc"
    assert estimate(k2, "--output", tmp_path / "k2.star", "--gain", 101.4) == 0
    assert "the noise spectrum is flat" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.mrc"], r"none\.mrc: no such file"),
        (["flat.mrc", "--gain", "0"], "--gain: must be a positive number, got '0'"),
        (["flat.mrc", "--gain", "1", "--dose", "2"], "gain or dose, not both"),
        (["flat.mrc", "--read-noise", "-1"], "must be a number >= 0 or 'fit', got '-1'"),
        (["flat.mrc", "--family", "gauss"], "family must be auto or one of lorentzian"),
        (["flat.mrc", "--size", "700"], "flat.mrc.*700"),
        (["flat.mrc", "--max-frequency", "0.9"], "at most 0.707 cycles/pixel"),
        (["flat.mrc", "--edge-box", "0", "0", "9", "9"], "edge_box belongs to edge"),
        (["flat.mrc", "--edge"], r"flat\.mrc: no straight edge"),
        (["upright.mrc", "--edge"], r"upright\.mrc: .*inclined by 1 to 20 degrees"),
        (["flat.mrc", "--edge", "--gain", "2"], "gain does not apply to edge"),
        (["flat.mrc", "--gain", "0.5"], r"flat\.mrc: noise power is .* gain 0.5 is wrong"),
        (["flat.mrc", "--boxes", "boxes.csv"], r"boxes\.csv"),
        (["constant.mrc"], "constant image"),
        (["nan.mrc"], "no finite value"),
        (["truncated.mrc"], r"truncated\.mrc"),
        (["flat.mrc", "--output", "mtf.txt"], "must end in .star"),
        (["flat.mrc", "--output", "none/mtf.star"], "there is no folder none"),
    ],
)
def test_bad_input_gives_one_line_and_leaves_nothing(
    tmp_path, flat, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    write_mrc(tmp_path / "constant.mrc", np.full((300, 300), 7, np.float32), 1.0)
    upright = np.where(np.arange(300) < 150, 9.0, 1.0) + np.zeros((300, 1))
    write_mrc(tmp_path / "upright.mrc", upright.astype(np.float32), 1.0)
    head = (tmp_path / "constant.mrc").read_bytes()[:1024]
    nan = np.full((300, 300), np.nan, np.float32)
    (tmp_path / "nan.mrc").write_bytes(head + nan.tobytes())
    (tmp_path / "truncated.mrc").write_bytes(flat.read_bytes()[:5000])
    (tmp_path / "boxes.csv").write_text("x,y\n600,600\n")
    before = {path.name for path in tmp_path.iterdir()}
    assert main(["estimate-mtf", "--output", "mtf.star", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("difftem: error: ")
    assert re.search(message, line), line
    assert {path.name for path in tmp_path.iterdir()} == before


def test_files_that_exist_are_kept_unless_told(tmp_path, flat, capsys):
    (tmp_path / "mtf.csv").write_text("mine")
    run = [flat, "--output", tmp_path / "mtf.star", "--size", 128, "--family", "lorentzian"]
    assert estimate(*run) == 2
    assert "mtf.csv: exists already; --overwrite" in capsys.readouterr().err
    assert (tmp_path / "mtf.csv").read_text() == "mine"
    assert estimate(*run, "--overwrite") == 0
    assert (tmp_path / "mtf.csv").read_text().startswith("frequency")
