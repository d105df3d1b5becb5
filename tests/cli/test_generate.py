import csv
import json
import sys

import mrcfile
import numpy as np
import pytest
import yaml

from difftem.cli.main import main
from difftem.cli.parsing import parse
from difftem.io.mrc import read_mrc
from difftem.io.star import read_star
from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.files.relion_read import read_relion_particles
from difftem.simulation.scene_config import ParticleConfig
from difftem.workflows.generate.config import GenerateConfig
from tests.helpers.generated_set import ITEM, SET, contents
from tests.helpers.relion_tilt_series import read_relion_tilt_series

VARIED = ("--variation.defocus_um", "[0.8, 2.5]")


def test_one_micrograph_leaves_a_folder_with_its_truth_and_tables_above_it(generate):
    code, captured, folder = generate()
    assert code == 0
    assert {path.name for path in folder.iterdir()} == SET | {"000000"}
    assert {path.name for path in (folder / "000000").iterdir()} == ITEM
    assert "1 micrograph, 1 made in" in captured.out
    record = json.loads((folder / "000000" / "run.json").read_text())
    assert record["counts"] == {"blob": 3}
    assert record["defocus_um"] == 1.5


def test_apoferritin_is_the_particle_without_any_configuration(generate):
    size = ["--sampling.size", "[64, 64]", "--sampling.pixel_size", "6", "--sampling.padding", "8"]
    code, captured, folder = generate(*size, particles="[{count: 2}]", small=False)
    assert code == 0
    assert "rendering apoferritin: 53568 atoms" in captured.err
    assert json.loads((folder / "000000" / "run.json").read_text())["counts"] == {"apoferritin": 2}


def test_nothing_needs_to_be_configured():
    config, options = parse("difftem generate", "", GenerateConfig, ["--output", "set"])
    assert config == GenerateConfig()
    assert config.particles == [ParticleConfig(count=60)]
    assert (config.micrographs, config.devices, options.overwrite) == (1, 1, False)


def test_a_set_that_is_extended_equals_one_made_at_once(generate, tmp_path):
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    assert generate("--micrographs", 3, *VARIED, output=whole)[0] == 0
    assert generate(*VARIED, output=grown)[0] == 0
    code, captured, _ = generate("--micrographs", 3, *VARIED, output=grown)
    assert code == 0
    assert "3 micrographs, 2 made" in captured.out
    assert contents(whole) == contents(grown)
    # Fewer are fine, and nothing is lost.
    code, captured, _ = generate("--micrographs", 2, *VARIED, output=grown)
    assert "3 micrographs, none made" in captured.out
    assert contents(whole) == contents(grown)


def test_a_set_has_one_configuration(generate):
    code, _, folder = generate()
    before = contents(folder)
    code, captured, _ = generate("--microscope.defocus_um", 2)
    assert code == 2
    assert "microscope.defocus_um = 1.5, now it is 2.0" in captured.err
    assert "--overwrite" in captured.err
    code, captured, _ = generate(particles="[{count: 3}]")
    assert "particles[0].name = blob, now it is apoferritin" in captured.err
    assert contents(folder) == before
    (folder / "notes.txt").write_text("mine")
    assert generate("--microscope.defocus_um", 2, "--overwrite")[0] == 0
    assert json.loads((folder / "000000" / "run.json").read_text())["defocus_um"] == 2.0
    assert (folder / "notes.txt").read_text() == "mine"


def test_the_threads_of_a_set_stay_those_it_was_begun_with(generate, pdb, tmp_path):
    _, _, folder = generate()
    code, captured, _ = generate("--threads", 2, "--micrographs", 2)
    assert code == 2
    assert "threads = 1, now it is 2" in captured.err
    assert generate("--micrographs", 2, "--threads", "null")[0] == 0
    assert yaml.safe_load((folder / "generate.yaml").read_text())["threads"] == 1


def test_the_configuration_that_a_set_keeps_makes_it_again(generate, tmp_path, monkeypatch):
    _, _, folder = generate("--detector.dqe", 0.8, *VARIED)
    config = folder / "generate.yaml"
    monkeypatch.chdir(tmp_path)
    code, _, again = generate(config=config, output=tmp_path / "again", small=False)
    assert code == 0
    assert contents(folder) == contents(again)


def test_tables_of_the_set_hold_every_item(generate, pdb, tmp_path):
    particles = f"[{{name: a, source: {pdb}, count: 2}}, {{name: b, source: {pdb}, count: 1}}]"
    code, _, folder = generate("--micrographs", 2, *VARIED, particles=particles)
    assert code == 0
    for item in ("000000", "000001"):
        read = read_relion_particles(
            folder / "particles.star", shape=(48, 64), image=f"{item}/micrograph_{item}.mrc"
        )
        truth = read_coordinates(folder / item / "particles.csv")
        assert [each.particle for each in read] == ["a", "b"]
        for ours, theirs in zip(read, truth, strict=True):
            assert abs(ours.positions - theirs.positions).max() < 1e-4
    with (folder / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["folder"] for row in rows] == ["000000", "000001"]
    for row in rows:
        record = json.loads((folder / row["folder"] / "run.json").read_text())
        assert (row["particles"], row["a"], row["b"]) == ("3", "2", "1")
        assert float(row["defocus_um"]) == record["defocus_um"]
        assert float(row["mean_expected_counts_per_pixel"]) > 50


def test_tilt_series_become_one_project(generate):
    code, _, folder = generate(
        "--exposure.tilts_deg", "[-20, 20]", "--exposure.dose_e_per_a2", 3, "--micrographs", 2
    )
    assert code == 0
    tomograms = read_star(folder / "tomograms.star")["global"]
    assert tomograms["rlnTomoName"] == ["series_000000", "series_000001"]
    for stack, tilts in zip(
        tomograms["rlnTomoTiltSeriesName"], tomograms["rlnTomoTiltSeriesStarFile"], strict=True
    ):
        assert (folder / stack).is_file()
        assert read_relion_tilt_series(folder / tilts).nominal_tilt_deg.tolist() == [-20, 20]
        (table,) = read_star(folder / tilts).values()
        assert table["rlnMicrographName"] == [f"1@{stack}", f"2@{stack}"]
    particles = read_star(folder / "particles.star")["particles"]
    # More than 3: where tilting brings more of the ice into view, there are particles, too.
    n = [sum(json.loads((folder / name / "run.json").read_text())["counts"].values())
         for name in ("000000", "000001")]  # fmt: skip
    assert min(n) >= 3
    assert particles["rlnTomoName"] == ["series_000000"] * n[0] + ["series_000001"] * n[1]


def test_one_micrograph_does_without_lightning(generate, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning.fabric", None)  # an import of it fails
    assert generate()[0] == 0


def test_particles_may_be_a_list_in_yaml(generate, pdb, tmp_path):
    config = tmp_path / "scene.yaml"
    config.write_text(
        "particles:\n"
        "- {name: a, source: blob.pdb, count: 2}\n"
        "- {name: b, source: blob.pdb, per_um3: 10}\n"
    )
    code, _, folder = generate(config=config)
    assert code == 0
    assert json.loads((folder / "000000" / "run.json").read_text())["counts"] == {"a": 2, "b": 1}


def test_a_list_of_particles_replaces_another_as_a_whole(tmp_path):
    config = tmp_path / "scene.yaml"
    config.write_text("particles: [{name: a, per_um3: 3, solvent: none}]\n")
    for option in (["--particles", "[{name: b, count: 5}]"], ["--particles=[{name: b, count: 5}]"]):
        arguments = [str(config), "--output", "set", *option]
        read, _ = parse("difftem generate", "", GenerateConfig, arguments)
        assert read.particles == [ParticleConfig(name="b", count=5)]


def test_help_and_print_config_explain_themselves(capsys):
    for option, words in (
        ("--help", ["underfocus is positive", "--overwrite", "  micrographs: 100\n  devices: 8"]),
        ("--particles.help", ["--particles.per_um3", "1/µm³", "random packing ends"]),
        ("--print_config", ["micrographs: 1", "count: 60", "preset: k3_300kv", "devices: 1"]),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["generate", option])
        assert stopped.value.code == 0
        text = capsys.readouterr().out
        for word in words:
            assert word in text


def test_what_maps_and_coordinates_gave_is_said_and_kept_with_every_item(generate, tmp_path):
    data = np.zeros((12, 10, 8), dtype=np.float32)
    data[3:9, 3:7, 2:6] = 3.0
    turned = np.ascontiguousarray(data.transpose(2, 1, 0))
    for name, values, axes in (("a.mrc", data, (1, 2, 3)), ("b.mrc", turned, (3, 2, 1))):
        with mrcfile.new(tmp_path / name, data=values) as mrc:
            mrc.set_volume()
            for axis, n in zip("zyx", data.shape, strict=True):
                mrc.header[f"m{axis}"], mrc.header.cella[axis] = n, 2.0 * n
            mrc.header.mapc, mrc.header.mapr, mrc.header.maps = axes
    places = tmp_path / "places.csv"
    places.write_text("x,y,z,phi,theta,psi,score\n0,0,0,10,20,30,1\n")
    images = []
    for name in ("a.mrc", "b.mrc"):
        particles = f"[{{name: m, source: {tmp_path / name}, coordinates: {places}}}]"
        code, captured, folder = generate(particles=particles, output=tmp_path / name[0])
        assert code == 0
        item = folder / "000000"
        lines = json.loads((item / "run.json").read_text("utf-8"))["inputs"]
        said = captured.err.splitlines()
        assert lines == [line for line in said if line in lines]  # in the order of the terminal
        assert (
            "places.csv: 1 row, x y z in Å, phi theta psi in degrees; not used: column score"
            in (lines)
        )
        (line,) = [line for line in lines if line.startswith(f"{name}: ")]
        assert line.startswith(f"{name}: 8 x 10 x 12 voxels of 2 Å")
        assert ("axes z y x reordered" in line) == (name == "b.mrc")
        (micrograph,) = item.glob("micrograph*.mrc")
        images.append(read_mrc(micrograph).data)
    np.testing.assert_array_equal(*images)
