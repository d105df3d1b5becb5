import json

import mrcfile
import numpy as np
import pytest
import torch

from difftem.cli.main import main
from tests.cli.conftest import SMALL
from tests.helpers.pretend_gpu import pretend_gpu


def read(path):
    with mrcfile.open(path) as mrc:
        # A stack of one image comes back as an image.
        stack = mrc.data.reshape(-1, *mrc.data.shape[-2:])
        return stack.copy(), float(mrc.voxel_size.x), [str(each) for each in mrc.get_labels()]


def test_a_run_leaves_its_images_picture_and_record(simulate):
    code, _, folder = simulate()
    assert code == 0
    assert sorted(p.name for p in folder.iterdir()) == [
        "labels.mrc",
        "micrograph.mrc",
        "micrographs.star",
        "noise_free.mrc",
        "particles.csv",
        "particles.star",
        "preview.png",
        "run.json",
    ]
    data, voxel_size, labels = read(folder / "micrograph.mrc")
    assert data.shape == (1, 48, 64)
    assert data.dtype == np.float32
    assert voxel_size == pytest.approx(1.5)
    assert "blob.pdb" in labels[0]
    assert "30 e/A2" in labels[1]
    record = json.loads((folder / "run.json").read_text())
    assert record["config"]["sampling"]["pixel_size"] == 1.5
    assert record["n_atoms"] == 40
    assert record["peak_memory_bytes"] > 1e8
    assert {"potential", "multislice", "lens", "detector"} <= set(record["seconds"])
    assert record["versions"]["torch"]


def test_the_mean_is_dose_times_area_times_dqe_and_ice_loss(simulate):
    _, _, folder = simulate("--ice.thickness_nm", 30, "--ice.mean_free_path_nm", 300)
    noise_free, _, _ = read(folder / "noise_free.mrc")
    expected = 30 * 1.5**2 * 0.9 * np.exp(-30 / 300)
    edge = np.concatenate([noise_free[0, :3].ravel(), noise_free[0, -3:].ravel()])
    assert edge.mean() == pytest.approx(expected, rel=5e-3)


def test_same_seed_gives_same_bytes_and_another_seed_does_not(simulate, tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder, seed in zip(folders, (3, 3, 4), strict=True):
        assert simulate("--seed", seed, output=folder)[0] == 0
    for name in ("micrograph.mrc", "noise_free.mrc", "preview.png"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    first, third = (read(folder / "micrograph.mrc")[0] for folder in (folders[0], folders[2]))
    assert np.abs(first - third).max() > 1


def test_a_tilt_series_has_an_angle_for_every_micrograph(simulate):
    _, _, folder = simulate(
        "--exposure.tilts_deg",
        "[-40, 0, 40]",
        "--exposure.exposures",
        2,
        "--exposure.dose_e_per_a2",
        3,
    )
    data, _, _ = read(folder / "micrograph.mrcs")
    angles = [float(line) for line in (folder / "micrograph.rawtlt").read_text().split()]
    assert len(data) == 6
    assert angles == [-40, -40, 0, 0, 40, 40]
    noise_free, _, _ = read(folder / "noise_free.mrcs")
    assert len(noise_free) == 3
    # The ice is thicker along a tilted beam: t / cos(40 degrees).
    ratio = noise_free[0].mean() / noise_free[1].mean()
    assert ratio == pytest.approx(np.exp(-10 / 300 * (1 / np.cos(np.deg2rad(40)) - 1)), rel=2e-3)


def test_noise_free_mean_and_micrograph_agree_within_counting_noise(simulate):
    _, _, folder = simulate("--exposure.exposures", 8)
    micrographs, _, _ = read(folder / "micrograph.mrc")
    noise_free, _, _ = read(folder / "noise_free.mrc")
    difference = micrographs.mean() - noise_free.mean()
    assert abs(difference) < 5 * np.sqrt(noise_free.mean() / micrographs.size)


def test_yaml_and_command_line_are_merged_and_the_command_line_wins(simulate, pdb, tmp_path):
    config = tmp_path / "run.yaml"
    config.write_text(
        "structure: {source: blob.pdb}\nmicroscope: {defocus_um: 2.5, cs_mm: 1.1}\nseed: 7\n"
    )
    code, _, folder = simulate("--microscope.cs_mm", 2.2, config=config, structure=False)
    assert code == 0
    record = json.loads((folder / "run.json").read_text())["config"]
    assert record["microscope"]["defocus_um"] == 2.5
    assert record["microscope"]["cs_mm"] == 2.2
    assert record["seed"] == 7


def test_the_record_of_a_run_is_a_config_that_repeats_it(simulate, pdb, tmp_path):
    _, _, folder = simulate("--microscope.defocus_um", 0.8, "--copies.count", 1)
    config = tmp_path / "again.yaml"
    config.write_text(json.dumps(json.loads((folder / "run.json").read_text())["config"]))
    assert main(["simulate", str(config), "--output", str(tmp_path / "again")]) == 0
    for name in ("micrograph.mrc", "preview.png"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_copies_are_placed_apart_and_inside(simulate):
    code, captured, folder = simulate(
        "--copies.count", 3, "--sampling.size", "[96, 96]", "--microscope.defocus_um", 0.3
    )
    assert code == 0
    assert "outside" not in captured.err
    assert json.loads((folder / "run.json").read_text())["n_atoms"] == 120


def test_a_placements_file_puts_copies_where_it_says(simulate, tmp_path):
    placements = tmp_path / "two.txt"
    placements.write_text("# x y z phi theta psi\n2 6\n-20 10 0 0 0 0\n20 -10 0 0 90 0\n")
    _, _, folder = simulate(
        "--copies.transforms", placements, "--ice.present", "false",
        "--microscope.defocus_um", 0.2, "--detector.preset", "ideal",
    )  # fmt: skip
    image, pixel, _ = read(folder / "noise_free.mrc")
    dark = image[0].mean() - image[0]

    def variance(x, y):
        column, row = int(32 + x / pixel), int(24 + y / pixel)
        return (dark[row - 4 : row + 5, column - 4 : column + 5] ** 2).mean()

    occupied = [variance(-20, 10), variance(20, -10)]
    empty = [variance(20, 10), variance(-20, -10)]
    assert min(occupied) > 5 * max(empty)


def test_a_measured_mtf_replaces_the_presets(simulate, tmp_path):
    from difftem.io.star import write_mtf_star

    star = tmp_path / "mtf.star"
    frequency = np.linspace(0, 0.5, 51)
    write_mtf_star(star, frequency, np.exp(-8 * frequency))
    _, _, white = simulate("--detector.mtf", star, output=tmp_path / "white")
    _, _, blurred = simulate(
        "--detector.mtf", star, "--detector.ntf", "mtf", output=tmp_path / "blurred"
    )
    _, _, own = simulate("--detector.mtf", star, "--detector.ntf", star, output=tmp_path / "own")
    _, _, sharp = simulate("--detector.preset", "ideal", output=tmp_path / "sharp")

    def variance(folder, name):
        return read(folder / name)[0].var()

    clean = [variance(each, "noise_free.mrc") for each in (white, blurred, own, sharp)]
    assert clean[0] == pytest.approx(clean[1], rel=1e-4)
    assert clean[0] < 0.5 * clean[3]
    noisy = [variance(each, "micrograph.mrc") for each in (white, blurred, own, sharp)]
    assert noisy[1] < 0.2 * noisy[3]  # noise as blurred as the signal
    assert noisy[2] == pytest.approx(noisy[1], rel=1e-3)
    assert noisy[0] > 0.8 * noisy[3] * 0.9  # one count in one pixel: DQE(0) 0.9 of the preset
    image = read(white / "micrograph.mrc")[0]
    assert np.array_equal(image, image.round())
    said = (white / "run.json").read_text("utf-8")
    assert "mtf.star: the MTF; the noise is white, as of k3_300kv" in said


def test_print_config_writes_a_complete_file_to_start_from(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", "--print_config"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    for key in ("defocus_um: 1.8", "pixel_size: 1.0", "preset: k3_300kv", "count: 16"):
        assert key in text


def test_help_explains_units(capsys):
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    text = capsys.readouterr().out
    for words in ("underfocus is positive", "e/Å²", "kV", "--overwrite"):
        assert words in text
    assert main(["--help"]) == 0
    assert "simulate" in capsys.readouterr().out
    assert main(["--version"]) == 0


def test_advice_names_the_number_that_would_do(simulate, tmp_path):
    cases = {
        "sampling.slice_thickness_nm": [
            "--sampling.slice_thickness_nm",
            2.5,
            "--sampling.pixel_size",
            0.4,
        ],
        "sampling.size": ["--sampling.size", "[16, 16]", "--sampling.pixel_size", 1],
        "sampling.padding": ["--microscope.defocus_um", 5],
        "sampling.pixel_size": ["--microscope.aperture_mrad", 20],
        "ice.thickness_nm": ["--ice.thickness_nm", 1],
    }
    for i, (key, arguments) in enumerate(cases.items()):
        code, captured, _ = simulate(*arguments, output=tmp_path / str(i))
        assert code == 0
        lines = [line for line in captured.err.splitlines() if "warning" in line and key in line]
        assert len(lines) == 1, (key, captured.err)
    quiet = simulate("--sampling.padding", 65, output=tmp_path / "quiet")[1].err
    assert "warning" not in quiet


def test_following_the_advice_silences_it(simulate, tmp_path):
    import re

    _, captured, _ = simulate("--microscope.defocus_um", 4, output=tmp_path / "a")
    padding = re.search(r"sampling.padding (\d+) would do", captured.err)[1]
    arguments = ["--microscope.defocus_um", 4, "--sampling.padding", padding]
    assert "warning" not in simulate(*arguments, output=tmp_path / "b")[1].err


def test_a_large_run_states_its_memory_and_one_that_cannot_fit_is_refused(
    simulate, monkeypatch, tmp_path
):
    from difftem.simulation import memory

    monkeypatch.setattr(memory, "LARGE_BYTES", 1.0)
    assert "GB of memory" in simulate()[1].err
    monkeypatch.setattr(memory, "reachable_bytes", lambda: (1e6, "free"))
    code, captured, folder = simulate(output=tmp_path / "refused")
    assert code == 2
    assert "0.00 GB are free" in captured.err
    assert not folder.exists()


def test_the_bundled_example_runs_without_any_file(tmp_path, capsys):
    arguments = ["--copies.count", "1", *SMALL, "--sampling.size", "[96, 96]"]
    assert main(["simulate", *arguments, "--output", str(tmp_path / "o")]) == 0
    assert "53 568 atoms, 96 x 96 px" in capsys.readouterr().err


@pytest.mark.skipif(
    torch.cuda.is_available(), reason="kernels are interpreted only where there is no CUDA device"
)
def test_a_gpu_gives_the_images_of_the_cpu(simulate, tmp_path):
    options = ("--exposure.tilts_deg", "[0, 30]")
    _, _, folder = simulate(*options, output=tmp_path / "cpu")
    expected, _, _ = read(folder / "noise_free.mrcs")
    with pretend_gpu() as traffic:
        code, _, folder = simulate(*options, "--accelerator", "cuda", output=tmp_path / "cuda")
        assert traffic["spread_fwd_kernel"] and traffic["propagate_kernel"]
    assert code == 0
    found, _, _ = read(folder / "noise_free.mrcs")
    assert np.abs(found - expected).max() < 1e-3 * expected.std()
    seconds = json.loads((folder / "run.json").read_text())["seconds"]
    assert "potential and multislice" in seconds and "multislice" not in seconds
