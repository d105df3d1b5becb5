"""Every bad input: one clear line, exit code 2, nothing half-written."""

import os
from pathlib import Path

import mrcfile
import numpy as np
import pytest

TILTS = ["--exposure.tilts_deg", "[-10, 10]"]


def check(result, *words):
    code, captured, folder = result
    assert code == 2
    lines = [line for line in captured.err.splitlines() if line]
    assert lines[-1].startswith("difftem: error: ")
    assert sum(line.startswith("difftem: error") for line in lines) == 1
    assert "Traceback" not in captured.err
    for word in words:
        assert word in lines[-1], lines[-1]
    assert not folder.exists()


@pytest.fixture
def there(tmp_path_factory, monkeypatch):
    """Files that are there, with nothing in them."""
    folder = tmp_path_factory.mktemp("there")
    for name in ("6vxx.pdb", "a.csv", "a.mrc", "a.map.gz"):
        (folder / name).touch()
    monkeypatch.chdir(folder)


@pytest.mark.parametrize(
    ("particle", "words"),
    [
        ("count: 100000", ["of 100000 copies of blob", "larger field", "%"]),
        ("fraction: 0.9", ["copies of blob fit", "of the 90% asked for"]),
        ("count: -3", ["blob", "count must be positive, got -3"]),
        ("count: 0", ["count must be positive, got 0"]),
        ("per_um3: -1.0", ["per_um3 must be positive, got -1.0"]),
        ("per_um3: .nan", ["particles[0].per_um3 must be a finite number, got nan"]),
        ("count: 1, per_um3: 5", ["exactly one of", "got count, per_um3"]),
        ("orientations: fixed", ["exactly one of", "got none"]),
        ("count: two", ["particles", "expected a whole number or null, got 'two'"]),
        ("count: 1, solvnet: none", ["particles[0].solvnet", "did you mean 'solvent'?"]),
        ("count: 1, solvent: oil", ["particles", "oil", "displaced"]),
        ("coordinates: none.csv", ["none.csv", "no such file"]),
        ("count: 1, voxel_size: 2.0", ["voxel_size does not apply to a structure", "a map"]),
        ("count: 1, parts: 6vxx.pdb", ["parts does not apply to a structure", "sars-cov-2"]),
        ("count: 1, phantom: {contrast: 2.0}", ["phantom does not apply to a structure"]),
        ("count: 1, image: a.mrc", ["'blob'", "image applies with coordinates only"]),
        ("coordinates: a.csv, orientations: fixed", ["orientations does not apply with coord"]),
    ],
)
def test_particle_that_is_impossible(generate, pdb, particle, words, there):
    check(generate(particles=f"[{{name: blob, source: {pdb}, {particle}}}]"), *words)


@pytest.mark.parametrize(
    ("particles", "words"),
    [
        ("3", ["particles: expected a list of keys and values"]),
        ("{name: a}", ["particles: expected a list of keys and values"]),
        ("[{source: nothing, count: 1}]", ["nothing: no such file", "apoferritin, sars-cov-2"]),
        ("[{source: none.pdb, count: 1}]", ["none.pdb: no such file (particles[0].source"]),
        ("[{name: a, count: 1}, {name: a, count: 2}]", ["two particles are called 'a'"]),
        ("[{name: a b, count: 1}]", ["particle name 'a b'"]),
        ("[{name: a.b, count: 1}]", ["particle name 'a.b'"]),
        ("[{name: Å, count: 1}]", ["particle name 'Å'", "ASCII"]),
        ("[{source: sars-cov-2, count: 1}]", ["needs the structure of its spike in 'parts'"]),
        ("[{source: a.mrc, count: 1, solvent: none}]", ["solvent does not apply to a map"]),
        ("[{source: a.map.gz, count: 1, hydrogens: file}]", ["hydrogens does not apply to a map"]),
        ("[{source: phantom, count: 1, assembly: '2'}]", ["assembly does not apply to phantom"]),
        ("[{source: phantom, count: 1, voxel_size: 2}]", ["voxel_size does not apply to phantom"]),
        ("[{source: phantom, count: 1, phantom: {size_nm: [1, 0, 1]}}]", ["size_nm must be pos"]),
        ("[{source: phantom, count: 1, phantom: {contrast: 0}}]", ["contrast must not be 0"]),
        ("[{source: phantom, count: 1, phantom: {smoothness: -1}}]", ["smoothness must not be"]),
        ("[{source: phantom, count: 1, phantom: {size_nm: [1e4, 1, 1]}}]", ["at most 384 are"]),
    ],
)
def test_list_of_particles_that_is_impossible(generate, particles, words, there):
    check(generate(particles=particles), *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sampling.pixel_size", "1e-9"], ["sampling.pixel_size", "within 0.01 and 100 Å"]),
        (["--sampling.pixel_size", "nan"], ["sampling.pixel_size", "nan"]),
        (["--sampling.size", "[4, 64]"], ["sampling.size", "4 x 64"]),
        (["--particles+", "{dict_kwargs: {a: 1}}"], ["unknown key 'particles[0].dict_kwargs'"]),
        (["--ice", "{init_args: {}}"], ["unknown key 'ice.init_args'"]),
        (["--sampling.slice_thickness_nm", "0"], ["slice_thickness_nm must be positive"]),
        (["--sampling.padding", "-1"], ["sampling.padding must not be negative, got -1"]),
        (["--sampling.depth", "deep"], ["sampling.depth", "deep"]),
        (["--ice.thickness_nm", "-5"], ["ice.thickness_nm must be positive, got -5"]),
        (["--ice.thickness_nm", "2"], ["0 of 3 copies of blob fit"]),
        (["--ice.mean_free_path_nm", "0"], ["ice.mean_free_path_nm must be positive"]),
        (["--ice.gap_nm", "-1"], ["ice.gap_nm must not be negative"]),
        (["--ice.hole_diameter_nm", "inf"], ["ice.hole_diameter_nm", "inf"]),
        (["--exposure.tilts_deg", "[85]"], ["exposure.tilts_deg", "85"]),
        (["--exposure.tilts_deg", "[]"], ["exposure.tilts_deg must not be empty"]),
        (
            ["--ice.edge_thickness_nm", "90"],
            ["edge_thickness_nm applies with ice.hole"],
        ),
        (
            ["--ice.present", "false", "--variation.ice_thickness_nm", "[20, 30]"],
            ["variation.ice_thickness_nm does not apply without ice"],
        ),
        (["--stage.shift_error", "3"], ["stage.shift_error applies to tilt series only"]),
        ([*TILTS, "--stage.shift_error", "-3"], ["stage.shift_error must not be negative"]),
        ([*TILTS, "--stage.shifts", "[[1, 2]]"], ["stage.shifts must have 2 values", "got 1"]),
        ([*TILTS, "--stage.rotations_deg", "[1]"], ["stage.rotations_deg must have 2 values"]),
        (
            [*TILTS, "--stage.shift_error", "3", "--ice.hole_diameter_nm", "90"],
            ["stage.shift_error does not apply with ice.hole_diameter_nm"],
        ),
        (["--exposure.exposures", "2"], ["exposures must be 1", "more micrographs"]),
        (["--exposure.dose_e_per_a2", "0"], ["dose_e_per_a2 must be positive"]),
        (["--variation.defocus_um", "[2, 1]"], ["variation.defocus_um must be [low, high]"]),
        (["--variation.dose_e_per_a2", "[-1, 1]"], ["variation.dose_e_per_a2[0] must be positive"]),
        (["--variation.defocus_um", "[1]"], ["variation.defocus_um"]),
        (["--microscope.voltage_kv", "300000"], ["voltage_kv", "300 means 300 kV"]),
        (["--microscope.defocus_um", "15000"], ["defocus_um", "1.5 means 1.5 µm"]),
        (["--microscope.amplitude_contrast", "1.5"], ["amplitude_contrast must be in [0, 1)"]),
        (["--microscope.aberrations", "{C77: 3.0}"], ["C77", "C21a"]),
        (["--detector.preset", "k9"], ["k9", "k3_300kv"]),
        (["--detector.mtf", "none.star"], ["none.star", "no such file"]),
        (["--sampling.table", "bethe"], ["sampling.table", "peng, lobato, kirkland"]),
        (["--detector.ntf", "none.star"], ["none.star", "detector.ntf", "ideal, mtf"]),
        (["--micrographs", "0"], ["micrographs must be at least 1, got 0"]),
        (["--micrographs", "x"], ["micrographs: expected a whole number, got 'x'"]),
        (["--devices", "0"], ["devices must be at least 1, got 0"]),
        (["--num_nodes", "3"], ["num_nodes: 3 machines are to be started", "NODE_RANK"]),
        (["--num_nodes", "-1"], ["num_nodes must be at least 1, got -1"]),
        (["--threads", "0"], ["threads must be at least 1, got 0"]),
        (["--microscope.defocus", "2"], ["did you mean 'microscope.defocus_um'?"]),
    ],
)
def test_values_out_of_range(generate, arguments, words):
    check(generate(*arguments), *words)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("few.txt", "2 3\n1 2 3\n4 5 6\n", ["few.txt", "6 columns, got 2 x 3"]),
        ("short.txt", "1 6\n1 2 3 4 5\n", ["short.txt", "line 2: expected 6 values, got 5"]),
        ("short.csv", "x,y,z\n1,2\n", ["short.csv", "line 2: expected 3 values, got 2"]),
        ("word.csv", "x,y,z\n1,2,up\n", ["word.csv", "line 2: z must be a number, got 'up'"]),
        ("flat.csv", "x,y\n1,2\n", ["flat.csv", "no column z"]),
        ("empty.star", "data_particles\n", ["empty.star"]),
        ("turned.csv", "x,y,z,rot\n1,2,3,4\n", ["turned.csv", "column rot", "phi, theta, psi"]),
        (
            "two.star",
            "data_particles\nloop_\n_rlnMicrographName\n_rlnCoordinateX\n_rlnCoordinateY\n"
            "a.mrc 1 2\nb.mrc 1 2\na.mrc 3 4\n",
            ["two.star", "has 2 images", "'image'", "a.mrc (2 particles), b.mrc (1 particle)"],
        ),
        (
            "tomogram.star",
            "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n1 2 3\n",
            ["tomogram.star", "give tomogram_size [x, y, z]"],
        ),
        (
            "binned.star",
            "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnImagePixelSize\n1 2 5.6\n",
            ["binned.star", "rlnImagePixelSize 5.6 Å", "give coordinates_pixel_size in Å"],
        ),
    ],
)
def test_coordinates_that_cannot_be_read(generate, pdb, tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    particle = f"[{{name: blob, source: {pdb}, coordinates: {tmp_path / name}}}]"
    check(generate(particles=particle), *words)


@pytest.mark.parametrize("option", ["tomogram_size: [64, 64, 20]", "coordinates_pixel_size: 2.0"])
def test_options_that_those_files_need_are_keys_of_a_particle(generate, pdb, tmp_path, option):
    path = tmp_path / "a.star"
    z, cell = ("_rlnCoordinateZ\n", "9") if "tomogram" in option else ("_rlnImagePixelSize\n", "5")
    path.write_text(f"data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n{z}30 30 {cell}\n")
    particle = f"{{name: blob, source: {pdb}"
    placed = f"[{particle}, coordinates: {path}, {option}}}]"
    code, captured, _ = generate(particles=placed, output=tmp_path / "made")
    assert code == 0
    assert (
        f"a.star: 1 particle, rlnCoordinateX rlnCoordinateY{' ' if 'tom' in option else ' in'}"
        in (captured.err)
    )
    name = option.split(":")[0]
    check(generate(particles=f"[{particle}, count: 1, {option}}}]"), f"{name} applies with coord")
    wrong = option.replace("2.0", "2.0e-10").replace("[64", "[-64")
    check(generate(particles=f"[{particle}, coordinates: {path}, {wrong}}}]"), f"{name}", "must be")


def test_map_without_a_voxel_size(generate, tmp_path):
    path = tmp_path / "map.mrc"
    with mrcfile.new(path) as mrc:
        mrc.set_data(np.ones((8, 8, 8), dtype=np.float32))
    particle = f"{{name: m, source: {path}, count: 1"
    check(generate(particles=f"[{particle}}}]"), "map.mrc", "no voxel size", "give voxel_size in Å")
    assert generate(particles=f"[{particle}, voxel_size: 2.0}}]")[0] == 0


def test_output_that_is_a_file(generate, tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    code, captured, _ = generate(output=path)
    assert code == 2
    assert "is a file, expected an output folder" in captured.err
    assert path.read_text() == "mine"


def test_folder_of_something_else(generate, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    code, captured, _ = generate(output=folder)
    assert code == 2
    assert "is not empty and has no generate.yaml" in captured.err
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_set_whose_configuration_is_damaged(generate):
    _, _, folder = generate()
    for text in ("{", "just text"):
        (folder / "generate.yaml").write_text(text)
        code, captured, _ = generate()
        assert code == 2
        assert "generate.yaml" in captured.err
        assert "--overwrite (overwrite=True) starts anew" in captured.err
    assert (folder / "000000" / "run.json").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the /proc folder, which nobody may write to")
def test_output_that_cannot_be_written(generate):
    check(generate(output=Path("/proc/difftem")), "/proc", "cannot be written")


def test_configuration_that_cannot_be_read(generate, tmp_path):
    config = tmp_path / "scene.yaml"
    check(generate(config=config), "scene.yaml", "no such file")
    for text, words in (
        ("particles: 5\n", ["particles: expected a list of keys and values"]),
        ("particles:\n  name: a\n", ["particles: expected a list of keys and values"]),
        ("particles:\n- {name: a, orientations: up}\n", ["particles", "orientations", "up"]),
        ("ice: [1]\n", ["scene.yaml", "ice must hold keys"]),
        ("", ["scene.yaml", "got nothing"]),
        ("partikles: []\n", ["did you mean 'particles'?"]),
        ("ice: {gap_nm: .nan}\n", ["ice.gap_nm must be a finite number, got nan"]),
    ):
        config.write_text(text)
        check(generate(config=config), *words)


def test_folders_that_a_failed_run_made_are_gone(generate, tmp_path):
    code, _, _ = generate("--detector.preset", "k9", output=tmp_path / "new" / "deep" / "set")
    assert code == 2
    assert not (tmp_path / "new").exists()


def test_failure_in_one_of_several_processes_is_one_line(generate, pdb):
    particle = f"[{{name: blob, source: {pdb}, count: 100000}}]"
    given = ("--micrographs", 2, "--devices", 2)
    check(generate(*given, particles=particle), "of 100000 copies of blob", "larger field")


def test_cuda_without_a_gpu(generate, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check(generate("--accelerator", "cuda"), "no CUDA device")
