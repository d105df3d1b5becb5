"""`difftem simulate input.txt`: every kind of component and output."""

import json

import mrcfile
import numpy as np
import pytest

from difftem.cli.main import main
from difftem.io.text_matrix import read_text_matrix
from tests.helpers.tem_simulator import INPUT, NOISY


def images(folder, name="clean.mrc"):
    return mrcfile.read(folder / name)


def test_all_named_files_are_written_beside_the_input(simulate_input):
    code, err, folder = simulate_input()
    assert code == 0, err
    names = ["clean.mrc", "defoci.txt", "doses.txt", "places.txt", "preview.png", "run.json"]
    expected = sorted([*names, "input.txt", "run.log", "tilts.txt"])
    assert sorted(path.name for path in folder.iterdir()) == expected
    with mrcfile.open(folder / "clean.mrc") as file:
        assert file.data.shape == (2, 48, 64)
        assert float(file.voxel_size.x) == pytest.approx(10.0)
    assert read_text_matrix(folder / "doses.txt").flatten().tolist() == [2000, 2000]
    assert read_text_matrix(folder / "defoci.txt").flatten().tolist() == [3, 3]
    assert read_text_matrix(folder / "tilts.txt")[:, 1].tolist() == [-5, 5]
    record = json.loads((folder / "run.json").read_text())
    assert record["seed"] == 3
    assert record["n_particles"] == 4
    log = (folder / "run.log").read_text()
    assert "absorption is drawn independently" in log and "absorption is drawn" in err
    assert "moves them by up to half a pixel" in log


def test_mean_is_dose_times_gain_times_what_the_film_lets_through(simulate_input):
    _, _, folder = simulate_input()
    incident = 2000 * 1.0**2 * 10  # e/nm², nm², grey values per electron
    # 40 to 60 nm of ice; half of what it scatters passes the aperture.
    assert 0.75 < images(folder).mean() / incident < 0.95


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(simulate_input):
    written = []
    for seed in (3, 3, 4):
        _, _, folder = simulate_input(text=INPUT + NOISY, arguments=("--seed", seed, "--overwrite"))
        written.append((folder / "noisy.mrc").read_bytes())
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize(
    ("text", "clean", "titles"),
    [
        (INPUT, False, ["image 2 of 2: tilt 5°"]),
        (INPUT + NOISY, True, ["noisy.mrc, image 2 of 2: tilt 5°"]),
    ],
)
def test_the_preview_shows_a_detector_with_noise_or_one_image_and_its_tilt(
    simulate_input, monkeypatch, text, clean, titles
):
    from difftem.simulation import preview

    drawn, draw = [], preview.draw_preview
    monkeypatch.setattr(preview, "draw_preview", lambda *a: drawn.append(a) or draw(*a))
    _, _, folder = simulate_input(text=text)
    ((noise_free, image, _, _, *which),) = drawn
    assert which == titles
    assert (noise_free is not None) is clean
    name = "noisy.mrc" if clean else "clean.mrc"
    np.testing.assert_allclose(images(folder, name)[1], image.numpy(), rtol=1e-6)
    if clean:
        assert np.corrcoef(images(folder)[1].flatten(), noise_free.numpy().flatten())[0, 1] > 0.999


def test_the_log_repeats_the_simulation(simulate_input):
    _, _, folder = simulate_input(("rand_seed = 3\n", ""))
    first = images(folder).copy()
    log = folder / "run.log"
    assert main(["simulate", str(log), "--overwrite"]) == 0
    assert np.array_equal(images(folder), first)


def test_output_leads_elsewhere_and_needs_no_folder(simulate_input, tmp_path):
    code, _, folder = simulate_input(arguments=("--output", tmp_path / "new" / "deep"))
    assert code == 0
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["input.txt"]
    assert (tmp_path / "new" / "deep" / "clean.mrc").is_file()


def test_a_file_without_suffix_is_known_by_its_content(simulate_input, tmp_path):
    _, _, folder = simulate_input()
    plain = folder / "input"
    plain.write_text(INPUT)
    assert main(["simulate", str(plain), "--overwrite"]) == 0


def test_a_coarser_detector_sees_the_same_binned(simulate_input):
    coarse = NOISY.replace("use_quantization = yes\ndqe = 0.4", "use_quantization = no")
    for old, new in (
        ("= 64", "= 32"),
        ("= 48", "= 24"),
        ("= 30", "= 60"),
        ("padding = 4", "padding = 2"),
    ):
        coarse = coarse.replace(old, new)
    blurless = [("mtf_alpha = 10", "mtf_alpha = 0"), ("mtf_beta = 40", "mtf_beta = 0")]
    code, err, folder = simulate_input(*blurless, text=INPUT + coarse)
    assert code == 0, err
    fine = images(folder).reshape(2, 24, 2, 32, 2).sum((2, 4))
    np.testing.assert_allclose(images(folder, "noisy.mrc"), fine, rtol=1e-5)


def test_particles_turn_with_the_sample_or_in_their_places(simulate_input):
    steep = ("theta_start = -5", "theta_start = 50")
    _, _, folder = simulate_input(steep)
    tilted = images(folder).copy()
    _, _, folder = simulate_input(
        steep, ("ntilts", "tilt_mode = single_particle\nntilts"), arguments=["--overwrite"]
    )
    middle = np.s_[:, 20:28]  # rows between those of the grid, which the tilt brings closer
    assert tilted[middle].std() > images(folder)[middle].std()


def test_tilts_errors_doses_and_defoci_from_files(simulate_input, tmp_path):
    (tmp_path / "t.txt").write_text("2 3\n0 -5 0\n0 5 0\n")
    (tmp_path / "e.txt").write_text("2 5\n0 0 0 0 0\n0 0 0 2 -1\n")
    (tmp_path / "d.txt").write_text("2 1\n2000\n4000\n")
    (tmp_path / "f.txt").write_text("2 1\n3\n3\n")
    _, _, folder = simulate_input()
    plain = images(folder).astype(float)
    changes = [
        ("ntilts = 2", "gen_tilt_data = no\ngeom_file_in = t.txt\ngeom_errors = file"),
        ("theta_start = -5", "error_file_in = e.txt"),
        ("dose_per_im = 2000", "gen_dose = no\ndose_file_in = d.txt"),
        ("defocus_nominal = 3", "gen_defocus = no\ndefocus_file_in = f.txt"),
    ]
    code, err, folder = simulate_input(*changes, arguments=["--overwrite"])
    assert code == 0, err
    got = images(folder)
    np.testing.assert_allclose(got[0], plain[0], rtol=1e-5)
    # Twice the dose, two pixels to the right and one down.
    shifted = 2 * plain[1, 12:-12, 12:-12]
    error = got[1, 11:-13, 14:-10] - shifted
    assert abs(error).max() < 0.02 * (shifted.max() - shifted.min())


def test_maps_come_back_as_particles(simulate_input):
    maps = "map_file_re_out = re.mrc\nmap_file_im_out = im.mrc\nsmoothness"
    _, _, folder = simulate_input(("smoothness", maps))
    assert images(folder, "re.mrc").shape == (14, 13, 12)
    plain = images(folder).copy()
    places = ("particle_coords = grid", "particle_coords = file\ncoord_file_in = p.txt")
    (folder / "p.txt").write_text((folder / "places.txt").read_text())
    source = ("source = random", "source = map\nmap_file_re_in = re.mrc\nmap_file_im_in = im.mrc")
    code, err, _ = simulate_input(places, source, arguments=["--overwrite"])
    assert code == 0, err
    np.testing.assert_allclose(images(folder), plain, rtol=1e-4)


def test_only_maps_need_no_microscope(simulate_input):
    text = INPUT[: INPUT.index("=== particleset")].replace("micrographs", "particle_maps")
    maps = (
        "map_file_re_out = re.mrc\nuse_imag_pot = no\nfamp = 0.1\nmap_file_im_out = im.mrc\nsmooth"
    )
    code, err, folder = simulate_input(("smooth", maps), text=text)
    assert code == 0, err
    assert "no map_file_im_out" in err
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["input.txt", "re.mrc", "run.json", "run.log"]


def test_several_particles_and_sets_add_up(simulate_input):
    start, end = INPUT.index("=== particle blob"), INPUT.index("=== geometry")
    other = INPUT[start:end].replace("blob", "other").replace("places", "others")
    other = other.replace("nx = 2\nny = 2", "nx = 1\nny = 1\noffset_z = 60")
    code, err, folder = simulate_input(text=INPUT + other + NOISY)
    assert code == 0, err
    record = json.loads((folder / "run.json").read_text())
    assert record["n_particles"] == 5
    assert images(folder, "noisy.mrc").shape == (2, 48, 64)
