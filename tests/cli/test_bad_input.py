"""Every bad input: one clear line, exit code 2, nothing half-written."""

import gzip
import os

import pytest
import torch

from difftem.cli.main import main


def check(result, *words):
    code, captured, folder = result
    assert code == 2
    lines = [line for line in captured.err.splitlines() if line]
    assert lines[-1].startswith("difftem: error: ")
    assert "Traceback" not in captured.err
    for word in words:
        assert word in lines[-1], lines[-1]
    assert not folder.exists() or not any(folder.iterdir())
    assert not [p for p in folder.parent.iterdir() if p.name.startswith(f".{folder.name}.")]
    assert sum(line.startswith("difftem: error") for line in lines) == 1


def test_missing_structure_file(simulate):
    check(simulate("--structure.source", "nowhere.pdb"), "nowhere.pdb", "no such file")


def test_the_name_of_an_entry_that_is_not_here_is_answered_with_its_address(simulate):
    for name, file in (
        ("5ire.pdb.gz", "5ire.pdb.gz"),
        ("5IRE.cif", "5IRE.cif"),
        ("5IRE", "5ire.cif.gz"),
        ("5ire.ent", "5ire.cif.gz"),
    ):
        words = f"PDB entry 5IRE is at https://files.rcsb.org/download/{file}"
        check(simulate("--structure.source", name), f"{name}: no such file", words)


def test_truncated_compressed_structure(simulate, pdb, tmp_path):
    whole = gzip.compress(pdb.read_bytes())
    path = tmp_path / "half.pdb.gz"
    path.write_bytes(whole[: len(whole) // 2])
    check(simulate("--structure.source", path), "half.pdb.gz", "truncated")


def test_truncated_compressed_cif(simulate, tmp_path):
    from difftem.io.examples import example_structure

    whole = example_structure().read_bytes()
    path = tmp_path / "half.cif.gz"
    path.write_bytes(whole[: len(whole) // 2])
    check(simulate("--structure.source", path), "half.cif.gz", "truncated")


def test_structure_without_atoms(simulate, tmp_path):
    path = tmp_path / "empty.pdb"
    path.write_text("HEADER    NOTHING\nEND\n")
    check(simulate("--structure.source", path), "empty.pdb", "no atoms")


def test_unknown_element(simulate, pdb, tmp_path):
    path = tmp_path / "strange.pdb"
    lines = pdb.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(("ATOM", "HETATM")))
    lines[first] = f"{lines[first][:76]:<76}QQ"
    path.write_text("\n".join(lines) + "\n")
    check(simulate("--structure.source", path), "strange.pdb", "atom 1", "unknown element")


def test_coordinate_that_is_no_number(simulate, pdb, tmp_path):
    path = tmp_path / "nan.pdb"
    lines = pdb.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(("ATOM", "HETATM")))
    lines[first] = lines[first][:30] + f"{'nan':>8}" + lines[first][38:]
    path.write_text("\n".join(lines) + "\n")
    check(simulate("--structure.source", path), "nan.pdb")


@pytest.mark.parametrize("size", ["-1.0", "0"])
def test_pixel_size_must_be_positive(simulate, size):
    check(simulate(f"--sampling.pixel_size={size}"), "pixel_size must be within 0.01 and 100 Å")


def test_voltage_in_volts(simulate):
    check(simulate("--microscope.voltage_kv", 300000), "voltage_kv", "300000", "300 means 300 kV")


def test_unknown_yaml_key_suggests_the_nearest(simulate, tmp_path):
    config = tmp_path / "typo.yaml"
    config.write_text("microscope:\n  defocus_mu: 2\n")
    check(simulate(config=config), "defocus_mu", "did you mean 'microscope.defocus_um'?")
    config.write_text("detektor:\n  preset: ideal\n")
    check(simulate(config=config), "detektor", "did you mean 'detector'?")


def test_unknown_option_suggests_the_nearest(simulate):
    check(simulate("--microscope.defocus", 2), "did you mean 'microscope.defocus_um'?")


def test_value_of_the_wrong_type(simulate):
    check(
        simulate("--microscope.defocus_um", "much"),
        "microscope.defocus_um",
        "expected a number",
        "much",
    )


def test_missing_config(simulate, tmp_path):
    check(simulate(config=tmp_path / "none.yaml"), "none.yaml")


def test_config_that_is_no_yaml(simulate, tmp_path):
    config = tmp_path / "bad.yaml"
    config.write_text("microscope: {defocus_um: [\n")
    check(simulate(config=config), "bad.yaml")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the /proc folder, which nobody may write to")
def test_output_that_cannot_be_written(simulate):
    from pathlib import Path

    check(simulate(output=Path("/proc/difftem")), "/proc", "cannot be written")


def test_existing_output_is_refused_unless_overwrite_is_given(simulate, tmp_path):
    folder = tmp_path / "out"
    assert simulate()[0] == 0
    before = (folder / "micrograph.mrc").read_bytes()
    (folder / "notes.txt").write_text("mine")
    code, captured, _ = simulate("--seed", 1)
    assert code == 2
    assert "--overwrite" in captured.err
    assert (folder / "micrograph.mrc").read_bytes() == before
    assert simulate("--seed", 1, "--overwrite")[0] == 0
    assert (folder / "micrograph.mrc").read_bytes() != before
    assert (folder / "notes.txt").read_text() == "mine"


def test_output_that_is_a_file(simulate, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    code, captured, _ = simulate(output=path)
    assert code == 2
    assert "is a file" in captured.err


def test_output_is_required(capsys):
    assert main(["simulate"]) == 2
    assert "--output" in capsys.readouterr().err


def test_unknown_command(capsys):
    assert main(["simulat"]) == 2
    assert "simulate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--exposure.tilts_deg", "[90]"], ["tilts_deg", "90"]),
        (["--exposure.tilts_deg", "[]"], ["tilts_deg"]),
        (["--exposure.dose_e_per_a2", "-1"], ["dose_e_per_a2", "-1"]),
        (["--copies.count", "-1"], ["copies.count", "got -1"]),
        (["--copies.count", "500"], ["of 500 copies", "larger field"]),
        (["--sampling.slice_thickness_nm", "0"], ["slice_thickness", "0"]),
        (["--sampling.size", "[2, 2]"], ["size", "2 x 2", "16 x 16"]),
        (["--sampling.potential_band_limit", "1.2"], ["band_limit", "1.2"]),
        (["--microscope.aberrations", "{C77: 3.0}"], ["C77", "C21a"]),
        (["--microscope.defocus_um", "nan"], ["defocus_um", "nan"]),
        (["--detector.preset", "k9"], ["k9", "k3_300kv"]),
        (["--detector.dqe", "1.5"], ["dqe", "1.5"]),
        (["--detector.mtf", "none.star"], ["none.star", "no such file"]),
        (["--detector.ntf", "white"], ["white", "no such file", "ideal, mtf"]),
        (["--sampling.pixel_size", "1e-30"], ["pixel_size", "1e-30"]),
        (["--sampling.slice_thickness_nm", "1e-10"], ["slice_thickness", "at most"]),
        (["--microscope.defocus_um", "15000"], ["defocus_um", "15000", "1.5 means"]),
        (["--structure.b_factor", "-3"], ["b_factor", "-3"]),
        (["--structure.default_b_factor", "-5"], ["structure.default_b_factor", "-5"]),
        (["--microscope.aperture_mrad", "0"], ["microscope.aperture_mrad must be positive"]),
        (["--exposure.dose_e_per_a2", "1e30"], ["exposure.dose_e_per_a2 must be at most 1e+07"]),
        (["--ice.thickness_nm", "1e9"], ["ice.thickness_nm must be at most 100000"]),
        (["--microscope.aberrations", "{C99: 1}"], ["microscope.aberrations: unknown C99; kno"]),
        (["--detector.preset", "k9"], ["detector.preset must be one of", "got 'k9'"]),
        (
            ["--microscope.voltage_kv", "1e-3"],
            ["microscope.amplitude_contrast must be given"],
        ),
        (["--detector.gain", "0"], ["detector.gain must be positive"]),
        (["--seed", "99999999999999999999"], ["seed must fit into 64 bits"]),
        (["--structure.selection", "//Q"], ["blob.pdb"]),
        (["--structure.assembly", "9"], ["blob.pdb", "9"]),
        (["--copies.transforms", "none.txt"], ["none.txt"]),
        (["--ice.mean_free_path_nm", "0"], ["mean_free_path_nm", "0"]),
    ],
)
def test_values_out_of_range(simulate, arguments, words):
    check(simulate(*arguments), *words)


def test_section_that_is_no_mapping(simulate, tmp_path):
    config = tmp_path / "list.yaml"
    config.write_text("structure: [1, 2]\n")
    check(simulate(config=config, structure=False), "list.yaml", "structure must hold keys")
    config.write_text("copies:\n")
    check(simulate(config=config), "list.yaml", "copies must hold keys")
    config.write_text("")
    check(simulate(config=config), "list.yaml", "got nothing")


def test_config_that_does_not_come_first(simulate, tmp_path):
    config = tmp_path / "late.yaml"
    config.write_text("seed: 1\n")
    check(simulate(config), "CONFIG.yaml must come first", "late.yaml")


def test_a_failed_run_removes_the_folders_it_made(simulate, tmp_path):
    code, _, _ = simulate("--structure.source", "no.pdb", output=tmp_path / "new" / "deep" / "out")
    assert code == 2
    assert not (tmp_path / "new").exists()


def test_overwriting_removes_what_the_new_run_does_not_write(simulate, tmp_path):
    simulate("--exposure.tilts_deg", "[-10, 10]")
    assert (tmp_path / "out" / "micrograph.rawtlt").exists()
    assert simulate("--overwrite")[0] == 0
    assert not (tmp_path / "out" / "micrograph.rawtlt").exists()


def test_termination_leaves_nothing_behind(pdb, tmp_path):
    import signal
    import subprocess
    import sys

    command = [sys.executable, "-m", "difftem", "simulate", "--structure.source", str(pdb)]
    command += ["--sampling.slice_thickness_nm", "0.0001", "--output", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert any(b"(simulated " in line for line in process.stderr)  # it has begun
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "interrupted" in error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blob.pdb"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_an_end_while_files_are_written_leaves_nothing_behind(simulate, monkeypatch, error):
    def stop(*arguments):
        raise error

    monkeypatch.setattr("difftem.workflows.simulated_micrographs.write_record", stop)
    code, _, folder = simulate()
    assert code == (130 if error is KeyboardInterrupt else 2)
    assert not folder.exists()
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".out.")]


def test_a_gpu_that_is_not_there(simulate, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check(simulate("--accelerator", "cuda"), "accelerator cuda", "no CUDA device")


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA"), RuntimeError("CPU: can't allocate memory: you")]
)
def test_memory_that_pytorch_does_not_get(simulate, monkeypatch, error):
    def refuse(*arguments, **options):
        raise error

    monkeypatch.setattr("difftem.workflows.simulate.take_series", refuse)
    check(simulate(), "out of memory; use a smaller field")
