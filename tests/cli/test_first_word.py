"""The first word of `difftem simulate`: a structure, a YAML file, or TEM-simulator's input."""

import json
import shutil

import pytest

from difftem.cli.main import main
from tests.cli.conftest import SMALL
from tests.helpers.tem_simulator import INPUT


def test_a_structure_is_simulated_with_the_defaults(pdb, tmp_path):
    assert main(["simulate", str(pdb), *SMALL, "--output", str(tmp_path / "o")]) == 0
    record = json.loads((tmp_path / "o/run.json").read_text())
    assert record["n_atoms"] == 40
    assert record["config"]["structure"]["source"] == str(pdb)
    assert record["config"]["copies"]["count"] == 1


def test_a_yaml_file_is_a_configuration(pdb, tmp_path):
    config = tmp_path / "run.yml"
    config.write_text(f"structure: {{source: {pdb.name}}}\nseed: 9\n")
    assert main(["simulate", str(config), *SMALL, "--output", str(tmp_path / "o")]) == 0
    assert json.loads((tmp_path / "o/run.json").read_text())["seed"] == 9


def test_an_input_of_tem_simulator_is_told_by_its_content(tmp_path, capsys):
    path = tmp_path / "input.par"
    path.write_text(INPUT)
    with pytest.raises(SystemExit):
        main(["simulate", str(path), "--help"])
    assert "TEM-simulator 1.3" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nothing.pdb", "nothing", "nothing.cif.gz"])
def test_a_structure_that_is_not_there_is_named(name, tmp_path, capsys):
    assert main(["simulate", name, "--output", str(tmp_path / "o")]) == 2
    assert f"{name}: no such file (structure.source)" in capsys.readouterr().err


def test_a_file_that_is_no_structure_is_named(tmp_path, capsys, pdb):
    other = tmp_path / "notes.pdf"
    shutil.copy(__file__, other)
    assert main(["simulate", str(other), *SMALL, "--output", str(tmp_path / "o")]) == 2
    assert "notes.pdf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("structure.file", "x.pdb", "structure.source"),
        ("specimen.copies", "3", "copies.count"),
        ("specimen.placements", "p.txt", "copies.transforms"),
        ("specimen.environment", "vacuum", "ice.present"),
        ("specimen.ice_thickness_nm", "30", "ice.thickness_nm"),
        ("specimen.mean_free_path_nm", "300", "ice.mean_free_path_nm"),
        ("sampling.slice_thickness", "20", "sampling.slice_thickness_nm"),
    ],
)
def test_an_old_key_is_answered_with_the_new_one(old, value, new, tmp_path, capsys):
    for arguments in ([f"--{old}", value], [f"--{old}={value}"]):
        assert main(["simulate", *arguments, "--output", str(tmp_path / "o")]) == 2
        assert f"unknown key '{old}'; did you mean '{new}'?" in capsys.readouterr().err
    section, field = old.split(".")
    config = tmp_path / "old.yaml"
    config.write_text(f"{section}: {{{field}: {value}}}\n")
    assert main(["simulate", str(config), "--output", str(tmp_path / "o")]) == 2
    error = capsys.readouterr().err
    assert f"old.yaml: unknown key '{old}'; did you mean '{new}'?" in error


def test_an_old_key_of_generate_is_answered_too(tmp_path, capsys):
    arguments = ["generate", "--sampling.slice_thickness", "20", "--output", str(tmp_path / "o")]
    assert main(arguments) == 2
    assert "did you mean 'sampling.slice_thickness_nm'?" in capsys.readouterr().err


def test_lists_grow_and_sections_come_from_files(pdb, tmp_path):
    microscope = tmp_path / "microscope.yaml"
    microscope.write_text("defocus_um: 0.4\n")
    more = ["--microscope", str(microscope), "--exposure.tilts_deg+", "5"]
    assert main(["simulate", str(pdb), *SMALL, *more, "--output", str(tmp_path / "o")]) == 0
    config = json.loads((tmp_path / "o/run.json").read_text())["config"]
    assert config["microscope"]["defocus_um"] == 0.4
    assert config["exposure"]["tilts_deg"] == [0.0, 5.0]


def test_the_first_word_counts_more_than_a_later_configuration(pdb, tmp_path):
    config = tmp_path / "run.yaml"
    config.write_text("structure: {source: apoferritin}\nseed: 4\n")
    for words in (["--config", str(config)], [f"--config={config}"]):
        arguments = [str(pdb), *SMALL, *words, "--overwrite", "--output", str(tmp_path / "o")]
        assert main(["simulate", *arguments]) == 0
        record = json.loads((tmp_path / "o/run.json").read_text())
        assert (record["n_atoms"], record["seed"]) == (40, 4)
        assert record["config"]["sampling"]["size"] == [64, 48]  # options, too


def test_a_configuration_is_checked_however_it_is_given(tmp_path, capsys):
    config = tmp_path / "typo.yaml"
    config.write_text("microscope: {defocus: 2}\n")
    for words in (["--config", str(config)], [f"--config={config}"], [str(config)]):
        assert main(["simulate", *words, "--output", str(tmp_path / "o")]) == 2
        assert "typo.yaml: unknown key 'microscope.defocus'; did" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{defocus_um: null}", "null", "{aberrations: null}"])
def test_nothing_is_no_value(text, tmp_path, capsys):
    config = tmp_path / "null.yaml"
    config.write_text(f"microscope: {text}\n")
    assert main(["simulate", str(config), "--output", str(tmp_path / "o")]) == 2
    assert "null.yaml: microscope" in capsys.readouterr().err


def test_a_section_as_a_mapping_leaves_the_example_alone(pdb, tmp_path):
    structure = ["--structure", f"{{source: {pdb}}}"]
    assert main(["simulate", *structure, *SMALL, "--output", str(tmp_path / "o")]) == 0
    assert json.loads((tmp_path / "o/run.json").read_text())["n_atoms"] == 40


def test_generate_wants_a_scene(pdb, tmp_path, capsys):
    assert main(["generate", str(pdb), "--output", str(tmp_path / "o")]) == 2
    assert "blob.pdb: expected a scene (.yaml)" in capsys.readouterr().err
