"""`difftem simulate input.txt` refuses in one line, and keeps what is there."""

import os

import mrcfile
import pytest
from filelock import FileLock

from difftem.io.claimed import LOCK
from tests.helpers.tem_simulator import INPUT


def refused(result, *words):
    code, err, folder = result
    assert code == 2
    lines = [line for line in err.splitlines() if line.startswith("difftem: error")]
    assert len(lines) == 1
    assert all(word in lines[0] for word in words), lines[0]
    assert "Traceback" not in err
    return folder


def test_existing_files_are_kept_without_overwrite(simulate_input, tmp_path):
    (tmp_path / "clean.mrc").write_text("mine")
    refused(simulate_input(), "clean.mrc", "--overwrite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean.mrc", "input.txt"]
    assert simulate_input(arguments=["--overwrite"])[0] == 0
    assert mrcfile.read(tmp_path / "clean.mrc").shape == (2, 48, 64)


def test_a_read_only_folder_suggests_output(simulate_input, tmp_path, monkeypatch):
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and access(path, mode))
    refused(simulate_input(), "read-only", "--output DIR")
    assert simulate_input(arguments=("--output", tmp_path / "out"))[0] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("det_pix_x = 64", "det_pix_x = many"), ("line 46", "det_pix_x")),
        (("generate_micrographs", "generate_volumes = yes\ngenerate_micrographs"), ("volume",)),
        (("log_file = run.log", "log_file = run.json"), ("run.json", "difftem itself")),
        (("nx = 12", "nx = 1"), ("2 voxels",)),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(simulate_input, tmp_path, change, words):
    folder = refused(simulate_input(change, arguments=("--output", tmp_path / "out")), *words)
    assert not (folder / "out").exists()


def test_volumes_are_refused(simulate_input):
    volume = "=== volume ===\nvoxel_size = 1\nnx = 4\nny = 4\nnz = 4\nmap_file_re_out = v.mrc\n"
    change = ("generate_micrographs", "generate_volumes = yes\ngenerate_micrographs")
    refused(simulate_input(change, text=INPUT + volume), "generate_volumes", "not supported")


def test_a_second_writer_is_refused(simulate_input, tmp_path):
    with FileLock(tmp_path / LOCK):
        refused(simulate_input(), str(tmp_path), "another run is writing there")
    assert simulate_input()[0] == 0
    assert not list(tmp_path.glob(".*"))


def test_unknown_option_is_one_line(simulate_input):
    refused(simulate_input(arguments=["--frobnicate"]), "--frobnicate")
