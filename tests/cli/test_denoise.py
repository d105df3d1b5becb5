import json
import re

import mrcfile
import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from difftem.cli.main import main
from difftem.io.mrc import read_mrc, write_mrc
from difftem.workflows.denoise.methods import METHODS

GAIN = 100.0


def scene(size=256, seed=0):
    """Smooth structure of mean 1, with a contrast of 10 %."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.standard_normal((size, size)), 6, mode="wrap")
    return 1 + 0.1 * smooth / smooth.std()


def exposure(truth, electrons=20.0, seed=1, gain=GAIN):
    """Grey values of a camera that counts."""
    rng = np.random.default_rng(seed)
    return (gain * rng.poisson(electrons * truth)).astype(np.float32)


def run(*arguments):
    return main(["denoise", *map(str, arguments)])


def nmse(estimate, truth):
    return ((estimate - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()


def test_a_micrograph_becomes_an_image_a_report_a_panel_and_a_record(tmp_path, capsys):
    truth = scene()
    write_mrc(tmp_path / "in.mrc", exposure(truth), 1.7)
    assert run(tmp_path / "in.mrc", "--output", tmp_path / "out.mrc", "--method", "wiener") == 0
    found, given = read_mrc(tmp_path / "out.mrc"), read_mrc(tmp_path / "in.mrc")
    assert found.data.shape == (256, 256)
    assert found.header.mode == 2
    assert found.voxel_size[0] == pytest.approx(1.7)
    assert found.data.mean() == pytest.approx(given.data.mean(), rel=1e-6)
    assert nmse(found.data / (20 * GAIN), truth) < 0.3  # the input has 5
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["method"] == "wiener"
    assert record["images"][0]["electrons"] == pytest.approx(20, rel=0.03)
    assert 0.8 < record["images"][0]["residual_variance"] < 1.03
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert "wiener" in (tmp_path / "out.md").read_text("utf-8")
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "in.mrc", "out.json", "out.md", "out.mrc", "out.png",
    ]  # fmt: skip
    assert "wrote" in capsys.readouterr().out


def test_std_and_residual_are_written_when_asked_for(tmp_path):
    write_mrc(tmp_path / "in.mrc", exposure(scene()), 1.0)
    output = tmp_path / "out.mrc"
    assert run(tmp_path / "in.mrc", "--output", output, "--save", "residual") == 0
    total = read_mrc(output).data + read_mrc(tmp_path / "out_residual.mrc").data
    np.testing.assert_allclose(total, read_mrc(tmp_path / "in.mrc").data, rtol=1e-4)


def test_two_exposures_of_a_field_are_taken_together(tmp_path):
    truth = scene()
    for seed in (1, 2):
        write_mrc(tmp_path / f"{seed}.mrc", exposure(truth, seed=seed), 1.0)
    for names, output in ((["1.mrc"], "one.mrc"), (["1.mrc", "2.mrc"], "two.mrc")):
        files = [tmp_path / name for name in names]
        assert run(*files, "--output", tmp_path / output, "--method", "wiener") == 0
    one, two = (read_mrc(tmp_path / f"{name}.mrc").data / (20 * GAIN) for name in ("one", "two"))
    assert two.mean() == pytest.approx(1, rel=0.01)
    assert nmse(two, truth) < 0.75 * nmse(one, truth)


def test_a_tilt_series_is_denoised_image_by_image(tmp_path, capsys):
    stack = np.stack([exposure(scene(96, seed), seed=seed) * (1 + seed) for seed in range(3)])
    write_mrc(tmp_path / "tilts.mrc", stack, 2.0, origin=(1.0, 2.0, 3.0))
    with mrcfile.open(tmp_path / "tilts.mrc", "r+") as mrc:
        mrc.header.exttyp = b"SERI"
        mrc.set_extended_header(np.arange(3, dtype="<i2").view("V1"))
    (tmp_path / "tilts.rawtlt").write_text("-10\n0\n10\n")
    assert run(tmp_path / "tilts.mrc", "--output", tmp_path / "out.mrc") == 0
    found = read_mrc(tmp_path / "out.mrc").data
    assert found.shape == stack.shape
    np.testing.assert_allclose(found.mean((1, 2)), stack.mean((1, 2)), rtol=1e-5)
    assert "tilts.rawtlt: a tilt series" in capsys.readouterr().err
    with mrcfile.open(tmp_path / "out.mrc") as mrc:
        assert mrc.header.origin.tolist() == (1.0, 2.0, 3.0)
        assert mrc.extended_header.view("<i2").tolist() == [0, 1, 2]


def test_separate_fields_become_files_of_their_names_in_a_folder(tmp_path):
    for seed, name in enumerate(("a.mrc", "b.mrc")):
        write_mrc(tmp_path / name, exposure(scene(128, seed), seed=seed), 1.0)
    files = tmp_path / "a.mrc", tmp_path / "b.mrc"
    assert run(*files, "--output", tmp_path / "out") == 0
    assert sorted(each.name for each in (tmp_path / "out").glob("*.mrc")) == ["a.mrc", "b.mrc"]
    for name in ("a.mrc", "b.mrc"):
        given, found = read_mrc(tmp_path / name).data, read_mrc(tmp_path / "out" / name).data
        assert np.corrcoef(given.ravel(), found.ravel())[0, 1] > 0.3


def refused(capsys, *arguments):
    """Message of a run that ends in one line and exit code 2."""
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    lines = [line for line in printed.err.splitlines() if line.startswith("difftem: error")]
    assert len(lines) == 1
    assert "Traceback" not in printed.err
    return lines[0]


@pytest.fixture
def good(tmp_path):
    """A micrograph that can be denoised."""
    write_mrc(tmp_path / "in.mrc", exposure(scene(128)), 1.0)
    return tmp_path / "in.mrc"


def bad_images(tmp_path):
    """Files that cannot be denoised, and what is said of each."""
    counts = exposure(scene(128))
    write_mrc(tmp_path / "constant.mrc", np.full((64, 64), 7.0), 1.0)
    yield "constant.mrc", "every pixel is 7"
    tifffile.imwrite(tmp_path / "nan.tif", np.full((64, 64), np.nan, np.float32))
    yield "nan.tif", "no finite value"
    rgb = np.zeros((64, 64, 3), np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", rgb, photometric="rgb")
    yield "rgb.tif", "3 colour channels, expected grey values"
    tifffile.imwrite(tmp_path / "eight.tif", (counts / counts.max() * 255).astype(np.uint8))
    yield "eight.tif", "8-bit image"
    clipped = np.clip(counts, 1500, 2500)
    write_mrc(tmp_path / "clipped.mrc", clipped, 1.0)
    yield "clipped.mrc", "clipped: "
    (tmp_path / "foreign.mrc").write_bytes(b"no image at all" * 200)
    yield "foreign.mrc", "not a whole MRC file"
    yield "missing.mrc", "no such file"


@pytest.mark.parametrize(
    "name",
    [
        "constant.mrc",
        "nan.tif",
        "rgb.tif",
        "eight.tif",
        "clipped.mrc",
        "foreign.mrc",
        "missing.mrc",
    ],
)
def test_what_is_no_micrograph_is_refused(tmp_path, capsys, name):
    said = dict(bad_images(tmp_path))[name]
    before = set(tmp_path.iterdir())
    message = refused(capsys, tmp_path / name, "--output", tmp_path / "out.mrc")
    assert name in message
    assert said in message
    assert set(tmp_path.iterdir()) == before


def test_clipped_values_are_denoised_by_force(tmp_path):
    write_mrc(tmp_path / "in.mrc", np.clip(exposure(scene(128)), 1500, 2500), 1.0)
    assert run(tmp_path / "in.mrc", "--output", tmp_path / "out.mrc", "--force") == 0


def test_an_unknown_method_is_answered_with_all_there_are(good, tmp_path, capsys):
    message = refused(capsys, good, "--output", tmp_path / "out.mrc", "--method", "magic")
    assert "method must be auto or one of" in message and "got 'magic'" in message
    assert all(f" {name}," in message for name in METHODS)
    assert "..." not in message  # nothing of it is cut


@pytest.mark.parametrize("method", ["paper", "paper_exact"])
def test_the_papers_denoiser_gives_back_the_average(tmp_path, method):
    images = [exposure(scene(64), seed=seed) for seed in (1, 2)]
    write_mrc(tmp_path / "in.mrc", np.stack(images), 1.7)
    options = ["--frames", "exposures", "--method", method]
    assert run(tmp_path / "in.mrc", "--output", tmp_path / "out.mrc", *options) == 0
    found = read_mrc(tmp_path / "out.mrc").data.ravel()
    average = np.mean(images, 0).ravel()
    assert np.corrcoef(found, average)[0, 1] > (0.999 if method == "paper_exact" else 0.9)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("in.mrc", "is an input, which would be replaced"),
        ("nowhere/out.mrc", "there is no folder"),
        ("out.png", "must end in one of .mrc"),
        ("there.mrc", "exists already"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_work(good, tmp_path, capsys, output, said):
    (tmp_path / "there.mrc").write_bytes(b"mine")
    content = good.read_bytes()
    message = refused(capsys, good, "--output", tmp_path / output)
    assert said in message
    assert "1 image" not in message
    assert good.read_bytes() == content
    assert (tmp_path / "there.mrc").read_bytes() == b"mine"


def test_an_input_is_not_replaced_even_where_files_may_be(good, capsys):
    message = refused(capsys, good, "--output", good, "--overwrite")
    assert "is an input" in message
    folder = refused(capsys, good, "--output", good.parent, "--overwrite")
    assert "is an input" in folder


def test_fields_that_differ_need_a_folder(tmp_path, capsys):
    for seed, name in enumerate(("a.mrc", "b.mrc")):
        write_mrc(tmp_path / name, exposure(scene(128, seed), seed=seed), 1.0)
    files = tmp_path / "a.mrc", tmp_path / "b.mrc"
    message = refused(capsys, *files, "--output", tmp_path / "out.mrc")
    assert "a.mrc and b.mrc show different fields" in message


def test_too_little_memory_is_said_before_the_work(good, tmp_path, capsys):
    message = refused(capsys, good, "--output", tmp_path / "o.mrc", "--memory-limit", 0.1)
    assert "0.10 GB are allowed" in message


def test_a_gain_that_is_wrong_by_two_is_said(tmp_path, capsys):
    write_mrc(tmp_path / "in.mrc", exposure(scene()), 1.0)
    output = tmp_path / "out.mrc"
    assert run(tmp_path / "in.mrc", "--output", output, "--gain", 2 * GAIN) == 0
    assert re.search(r"warning: .*gain 200.*noise tells", capsys.readouterr().err)
    assert run(tmp_path / "in.mrc", "--output", output, "--gain", GAIN, "--overwrite") == 0
    assert "warning" not in capsys.readouterr().err


def test_bad_options_are_refused(good, tmp_path, capsys):
    output = ("--output", tmp_path / "out.mrc")
    assert "give gain or dose" in refused(capsys, good, *output, "--gain", 2, "--dose", 3)
    assert "positive number" in refused(capsys, good, *output, "--gain", -1)
    assert "invalid choice" in refused(capsys, good, *output, "--frames", "odd")
    assert "--output" in refused(capsys, good)
