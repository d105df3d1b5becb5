import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from difftem.cli.main import main
from difftem.io.mrc import read_mrc, write_mrc

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
    write_mrc(tmp_path / "tilts.mrc", stack, 2.0)
    (tmp_path / "tilts.rawtlt").write_text("-10\n0\n10\n")
    assert run(tmp_path / "tilts.mrc", "--output", tmp_path / "out.mrc") == 0
    found = read_mrc(tmp_path / "out.mrc").data
    assert found.shape == stack.shape
    np.testing.assert_allclose(found.mean((1, 2)), stack.mean((1, 2)), rtol=1e-5)
    assert "tilts.rawtlt: a tilt series" in capsys.readouterr().err


def test_separate_fields_become_files_of_their_names_in_a_folder(tmp_path):
    for seed, name in enumerate(("a.mrc", "b.mrc")):
        write_mrc(tmp_path / name, exposure(scene(128, seed), seed=seed), 1.0)
    files = tmp_path / "a.mrc", tmp_path / "b.mrc"
    assert run(*files, "--output", tmp_path / "out") == 0
    assert sorted(each.name for each in (tmp_path / "out").glob("*.mrc")) == ["a.mrc", "b.mrc"]
    for name in ("a.mrc", "b.mrc"):
        given, found = read_mrc(tmp_path / name).data, read_mrc(tmp_path / "out" / name).data
        assert np.corrcoef(given.ravel(), found.ravel())[0, 1] > 0.3
