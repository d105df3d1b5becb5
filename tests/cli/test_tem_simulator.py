"""`difftem simulate input.txt`: every kind of component, outputs, refusals, noise."""

import json
import math
import os

import mrcfile
import numpy as np
import pytest

from difftem.cli.main import main
from difftem.data.text_matrix import read_text_matrix

INPUT = """=== simulation ===
generate_micrographs = yes
log_file = run.log
rand_seed = 3
=== sample ===
diameter = 500
thickness_center = 40
thickness_edge = 60
=== particle blob ===
source = random
nx = 12
ny = 13
nz = 14
voxel_size = 1
contrast_re = 3
contrast_im = 0.3
smoothness = 2
=== particleset ===
particle_type = blob
particle_coords = grid
nx = 2
ny = 2
nz = 1
particle_dist = 16
coord_file_out = places.txt
=== geometry ===
ntilts = 2
theta_start = -5
theta_incr = 10
geom_file_out = tilts.txt
=== electronbeam ===
acc_voltage = 200
energy_spread = 1.3
dose_per_im = 2000
dose_file_out = doses.txt
=== optics ===
magnification = 30000
cs = 2
cc = 2
aperture = 50
focal_length = 3
cond_ap_angle = 0.1
defocus_nominal = 3
defocus_file_out = defoci.txt
=== detector ===
det_pix_x = 64
det_pix_y = 48
padding = 4
pixel_size = 30
gain = 10
use_quantization = no
mtf_a = 0.7
mtf_b = 0.2
mtf_c = 0.1
mtf_alpha = 10
mtf_beta = 40
image_file_out = clean.mrc
"""
NOISY = INPUT[INPUT.index("=== detector") :].replace("clean", "noisy")
NOISY = NOISY.replace("use_quantization = no", "use_quantization = yes\ndqe = 0.4")


@pytest.fixture
def simulate(tmp_path, capsys):
    """Run an input after replacements of its text: exit code, standard error, folder."""

    def call(*changes, text=INPUT, arguments=()):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "input.txt"
        path.write_text(text)
        return (
            main(["simulate", str(path), *map(str, arguments)]),
            capsys.readouterr().err,
            tmp_path,
        )

    return call


def images(folder, name="clean.mrc"):
    return mrcfile.read(folder / name)


def refused(result, *words):
    code, err, folder = result
    assert code == 2
    lines = [line for line in err.splitlines() if line.startswith("difftem: error")]
    assert len(lines) == 1
    assert all(word in lines[0] for word in words), lines[0]
    assert "Traceback" not in err
    return folder


def test_all_named_files_are_written_beside_the_input(simulate):
    code, err, folder = simulate()
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


def test_mean_is_dose_times_gain_times_what_the_film_lets_through(simulate):
    _, _, folder = simulate()
    incident = 2000 * 1.0**2 * 10  # e/nm², nm², grey values per electron
    # 40 to 60 nm of ice; half of what it scatters passes the aperture.
    assert 0.75 < images(folder).mean() / incident < 0.95


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(simulate):
    written = []
    for seed in (3, 3, 4):
        _, _, folder = simulate(text=INPUT + NOISY, arguments=("--seed", seed, "--overwrite"))
        written.append((folder / "noisy.mrc").read_bytes())
    assert written[0] == written[1] != written[2]


def test_the_log_repeats_the_simulation(simulate):
    _, _, folder = simulate(("rand_seed = 3\n", ""))
    first = images(folder).copy()
    log = folder / "run.log"
    assert main(["simulate", str(log), "--overwrite"]) == 0
    assert np.array_equal(images(folder), first)


def test_output_leads_elsewhere_and_needs_no_folder(simulate, tmp_path):
    code, _, folder = simulate(arguments=("--output", tmp_path / "new" / "deep"))
    assert code == 0
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["input.txt"]
    assert (tmp_path / "new" / "deep" / "clean.mrc").is_file()


def test_existing_files_are_kept_without_overwrite(simulate, tmp_path):
    (tmp_path / "clean.mrc").write_text("mine")
    refused(simulate(), "clean.mrc", "--overwrite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean.mrc", "input.txt"]
    assert simulate(arguments=["--overwrite"])[0] == 0
    assert images(tmp_path).shape == (2, 48, 64)


def test_a_read_only_folder_suggests_output(simulate, tmp_path, monkeypatch):
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and access(path, mode))
    refused(simulate(), "read-only", "--output DIR")
    assert simulate(arguments=("--output", tmp_path / "out"))[0] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("det_pix_x = 64", "det_pix_x = many"), ("line 46", "det_pix_x")),
        (("generate_micrographs", "generate_volumes = yes\ngenerate_micrographs"), ("volume",)),
        (("log_file = run.log", "log_file = run.json"), ("run.json", "difftem itself")),
        (("nx = 12", "nx = 1"), ("2 voxels",)),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(simulate, tmp_path, change, words):
    folder = refused(simulate(change, arguments=("--output", tmp_path / "out")), *words)
    assert not (folder / "out").exists()


def test_volumes_are_refused(simulate):
    volume = "=== volume ===\nvoxel_size = 1\nnx = 4\nny = 4\nnz = 4\nmap_file_re_out = v.mrc\n"
    change = ("generate_micrographs", "generate_volumes = yes\ngenerate_micrographs")
    refused(simulate(change, text=INPUT + volume), "generate_volumes", "not supported")


def test_unknown_option_is_one_line(simulate):
    refused(simulate(arguments=["--frobnicate"]), "--frobnicate")


def test_a_file_without_suffix_is_known_by_its_content(simulate, tmp_path):
    _, _, folder = simulate()
    plain = folder / "input"
    plain.write_text(INPUT)
    assert main(["simulate", str(plain), "--overwrite"]) == 0


def test_a_coarser_detector_sees_the_same_binned(simulate):
    coarse = NOISY.replace("use_quantization = yes\ndqe = 0.4", "use_quantization = no")
    for old, new in (
        ("= 64", "= 32"),
        ("= 48", "= 24"),
        ("= 30", "= 60"),
        ("padding = 4", "padding = 2"),
    ):
        coarse = coarse.replace(old, new)
    blurless = [("mtf_alpha = 10", "mtf_alpha = 0"), ("mtf_beta = 40", "mtf_beta = 0")]
    code, err, folder = simulate(*blurless, text=INPUT + coarse)
    assert code == 0, err
    fine = images(folder).reshape(2, 24, 2, 32, 2).sum((2, 4))
    np.testing.assert_allclose(images(folder, "noisy.mrc"), fine, rtol=1e-5)


def test_particles_turn_with_the_sample_or_in_their_places(simulate):
    steep = ("theta_start = -5", "theta_start = 50")
    _, _, folder = simulate(steep)
    tilted = images(folder).copy()
    _, _, folder = simulate(
        steep, ("ntilts", "tilt_mode = single_particle\nntilts"), arguments=["--overwrite"]
    )
    middle = np.s_[:, 20:28]  # rows between those of the grid, which the tilt brings closer
    assert tilted[middle].std() > images(folder)[middle].std()


def test_tilts_errors_doses_and_defoci_from_files(simulate, tmp_path):
    (tmp_path / "t.txt").write_text("2 3\n0 -5 0\n0 5 0\n")
    (tmp_path / "e.txt").write_text("2 5\n0 0 0 0 0\n0 0 0 2 -1\n")
    (tmp_path / "d.txt").write_text("2 1\n2000\n4000\n")
    (tmp_path / "f.txt").write_text("2 1\n3\n3\n")
    _, _, folder = simulate()
    plain = images(folder).astype(float)
    changes = [
        ("ntilts = 2", "gen_tilt_data = no\ngeom_file_in = t.txt\ngeom_errors = file"),
        ("theta_start = -5", "error_file_in = e.txt"),
        ("dose_per_im = 2000", "gen_dose = no\ndose_file_in = d.txt"),
        ("defocus_nominal = 3", "gen_defocus = no\ndefocus_file_in = f.txt"),
    ]
    code, err, folder = simulate(*changes, arguments=["--overwrite"])
    assert code == 0, err
    got = images(folder)
    np.testing.assert_allclose(got[0], plain[0], rtol=1e-5)
    # Twice the dose, two pixels to the right and one down.
    shifted = 2 * plain[1, 12:-12, 12:-12]
    error = got[1, 11:-13, 14:-10] - shifted
    assert abs(error).max() < 0.02 * (shifted.max() - shifted.min())


def test_maps_come_back_as_particles(simulate):
    maps = "map_file_re_out = re.mrc\nmap_file_im_out = im.mrc\nsmoothness"
    _, _, folder = simulate(("smoothness", maps))
    assert images(folder, "re.mrc").shape == (14, 13, 12)
    plain = images(folder).copy()
    places = ("particle_coords = grid", "particle_coords = file\ncoord_file_in = p.txt")
    (folder / "p.txt").write_text((folder / "places.txt").read_text())
    source = ("source = random", "source = map\nmap_file_re_in = re.mrc\nmap_file_im_in = im.mrc")
    code, err, _ = simulate(places, source, arguments=["--overwrite"])
    assert code == 0, err
    np.testing.assert_allclose(images(folder), plain, rtol=1e-4)


def test_only_maps_need_no_microscope(simulate):
    text = INPUT[: INPUT.index("=== particleset")].replace("micrographs", "particle_maps")
    maps = (
        "map_file_re_out = re.mrc\nuse_imag_pot = no\nfamp = 0.1\nmap_file_im_out = im.mrc\nsmooth"
    )
    code, err, folder = simulate(("smooth", maps), text=text)
    assert code == 0, err
    assert "no map_file_im_out" in err
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["input.txt", "re.mrc", "run.json", "run.log"]


def test_several_particles_and_sets_add_up(simulate):
    start, end = INPUT.index("=== particle blob"), INPUT.index("=== geometry")
    other = INPUT[start:end].replace("blob", "other").replace("places", "others")
    other = other.replace("nx = 2\nny = 2", "nx = 1\nny = 1\noffset_z = 60")
    code, err, folder = simulate(text=INPUT + other + NOISY)
    assert code == 0, err
    record = json.loads((folder / "run.json").read_text())
    assert record["n_particles"] == 5
    assert images(folder, "noisy.mrc").shape == (2, 48, 64)


def test_noise_of_every_frequency_is_that_of_dose_dqe_gain_and_mtf(simulate):
    """An even field, counted: the spectrum is gain² λ / DQE times MTF², ring by ring.

    Poisson counts n have the variance λ; the inverse Gaussian adds (1/DQE - 1) n to it.
    """
    start, end = INPUT.index("=== particle blob"), INPUT.index("=== geometry")
    text = INPUT[:start] + INPUT[end:] + NOISY
    flat = [("thickness_edge = 60", "thickness_edge = 40"), ("padding = 4", "padding = 0")]
    size = [("det_pix_x = 64", "det_pix_x = 128"), ("det_pix_y = 48", "det_pix_y = 96")]
    series = [("ntilts = 2", "ntilts = 12"), ("theta_incr = 10", "theta_incr = 0")]
    code, err, folder = simulate(*flat, *size, *series, text=text)
    assert code == 0, err
    clean, noisy = images(folder).astype(float), images(folder, "noisy.mrc").astype(float)
    assert clean.std() < 1e-5 * clean.mean()
    gain, dqe, mean = 10.0, 0.4, clean.mean()
    ny, nx = clean.shape[1:]
    power = (np.abs(np.fft.fft2(noisy - mean)) ** 2).mean(0) / (ny * nx)
    qy, qx = np.meshgrid(np.fft.fftfreq(ny), np.fft.fftfreq(nx), indexing="ij")
    q2 = qx**2 + qy**2
    mtf = 0.7 / (1 + 10 * q2) + 0.2 / (1 + 40 * q2) + 0.1
    ratio = power / (gain**2 * (mean / gain) / dqe * mtf**2)
    rings = (np.sqrt(q2) / 0.05).astype(int)
    deviations = []
    for ring in range(rings.max() + 1):
        inside = ratio[rings == ring]
        freedom = len(inside) * len(noisy)  # a real image has every coefficient twice
        deviations.append((inside.mean() - 1) / math.sqrt(2 / freedom))
    assert max(map(abs, deviations)) < 4
    chi2, n = sum(z**2 for z in deviations), len(deviations)
    assert chi2 < n + 4 * math.sqrt(2 * n)
    # And it is not that of counts alone.
    assert np.mean(ratio) == pytest.approx(1, abs=0.02)
