"""Two writers, a full disk, signals: nothing is lost, and nothing half-written stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from difftem.io.claimed import LOCK
from tests.helpers.tem_simulator import INPUT

ROOT = Path(__file__).parents[2]
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails as on a full disk
from difftem.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main(sys.argv[1:]))
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def start(*arguments, program=("-m", "difftem")):
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def arguments(pdb, folder):
    """A simulation of some ten seconds."""
    field = ("--sampling.size", "[512, 512]", "--sampling.padding", "0", "--accelerator", "cpu")
    many = ("--exposure.tilts_deg", str([0.1 * i for i in range(300)]), "--ice.present", "false")
    return ("simulate", "--structure.source", pdb, *field, *many, "--output", folder)


def wait_for(path):
    deadline = time.monotonic() + 120
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert path.exists()


@posix
@pytest.mark.slow
def test_a_second_writer_is_refused_and_signals_leave_nothing(pdb, tmp_path, simulate):
    folder = tmp_path / "out"
    with start(*arguments(pdb, folder)) as first:
        wait_for(folder / LOCK)
        code, captured, _ = simulate(output=folder)
        assert code == 2
        assert f"{folder}: another run is writing there" in captured.err
        first.send_signal(signal.SIGTERM)
        said = first.communicate(timeout=60)[1]
    assert first.returncode == 130
    assert said.splitlines()[-1] == "difftem: error: interrupted, nothing was written"
    assert not folder.exists()
    with start(*arguments(pdb, folder)) as second:
        wait_for(folder / LOCK)
        second.kill()
    assert {each.name for each in folder.iterdir()} <= {LOCK}
    assert simulate(output=folder)[0] == 0
    assert not list(tmp_path.rglob(".*"))


@posix
def test_a_full_disk_is_one_line_and_keeps_the_earlier_files(pdb, tmp_path, simulate):
    folder = tmp_path / "out"
    assert simulate(output=folder)[0] == 0
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    given = ("simulate", "--structure.source", pdb, "--sampling.size", "[128, 128]", "--overwrite")
    with start(*given, "--output", folder, program=("-c", LIMITED)) as full:
        said = full.communicate(timeout=120)[1]
    assert full.returncode == 2
    assert "cannot be written: File too large" in said.splitlines()[-1]
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before


@posix
def test_a_full_disk_leaves_nothing_of_an_input_of_tem_simulator(tmp_path):
    path = tmp_path / "input.txt"
    path.write_text(INPUT.replace("det_pix_x = 64", "det_pix_x = 200"))
    with start("simulate", path, "--output", tmp_path / "out", program=("-c", LIMITED)) as full:
        said = full.communicate(timeout=120)[1]
    assert full.returncode == 2
    assert "cannot be written: File too large" in said.splitlines()[-1]
    assert [each.name for each in tmp_path.iterdir()] == ["input.txt"]
