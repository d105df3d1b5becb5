"""The least of what the machine has, its control group allows and ulimit -v leaves."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from difftem.simulation import available_memory
from difftem.simulation.available_memory import reachable_bytes

GB = 10**9
ROOT = Path(__file__).parents[2]


@pytest.fixture
def group(tmp_path, monkeypatch):
    """Put this process into control groups that the test writes, on a machine of 64 GB."""
    monkeypatch.setattr(available_memory, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(available_memory, "MOUNT", tmp_path / "fs")
    monkeypatch.setattr(
        available_memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=64 * GB)
    )

    def write(line, folder, **files):
        (tmp_path / "cgroup").write_text(line + "\n")
        place = tmp_path / "fs" / folder
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name.replace("__", ".")).write_text(f"{text}\n")

    return write


def room():
    """What is reachable beyond what this process holds."""
    total, what = reachable_bytes()
    return total - psutil.Process().memory_info().rss, what


def test_version_2_counts_limit_use_and_files_that_can_be_dropped(group):
    stat = f"anon 5\ninactive_file {GB}"
    group("0::/job", "job", memory__max=4 * GB, memory__current=3 * GB, memory__stat=stat)
    left, what = room()
    assert left == pytest.approx(2 * GB, abs=0.02 * GB)
    assert what == "allowed by the control group"


def test_version_2_counts_the_groups_above(group):
    group("0::/a/b", "a/b", memory__max="max", memory__current=1)
    group("0::/a/b", "a", memory__max=3 * GB, memory__current=GB)
    assert room()[0] == pytest.approx(2 * GB, abs=0.02 * GB)


def test_version_1_counts_unless_its_number_means_no_limit(group):
    files = {"memory__usage_in_bytes": GB, "memory__limit_in_bytes": 2 * GB}
    group("4:cpu,memory:/job", "memory/job", **files)
    assert room()[0] == pytest.approx(GB, abs=0.02 * GB)
    group("4:memory:/job", "memory/job", memory__limit_in_bytes=9223372036854771712)
    assert room() == (pytest.approx(64 * GB, abs=0.02 * GB), "free")


def test_a_container_that_hides_the_path_shows_its_limit_at_the_mount(group):
    group("0::/host/path", "", memory__max=2 * GB, memory__current=GB)
    assert room()[0] == pytest.approx(GB, abs=0.02 * GB)


def test_without_control_groups_the_machine_counts(group):
    assert room() == (pytest.approx(64 * GB, abs=0.02 * GB), "free")


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="no such limits here")
def test_the_limit_of_the_address_space_counts():
    code = (
        "import psutil; psutil.Process().rlimit(psutil.RLIMIT_AS, (2 * 10**9, 2 * 10**9));"
        "from difftem.simulation.available_memory import *; print(*reachable_bytes())"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    number, what = done.stdout.split(" ", 1)
    assert what.strip() == "allowed by ulimit -v"
    assert 1.5 * GB < float(number) < 2 * GB


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="no such limits here")
def test_with_little_address_space_left_a_run_is_kept_or_refused_in_one_line(tmp_path):
    code = (  # libraries of a build for CUDA are mapped to many gigabytes
        "import psutil, sys, torch; process = psutil.Process();"
        "process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + 1_500_000_000,) * 2);"
        "from difftem.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    size = ("--sampling.pixel_size", "4", "--copies.count", "1", "--output", str(tmp_path / "out"))
    command = [sys.executable, "-c", code, "simulate", *size, "--sampling.size"]
    for side, status in (("5000", 2), ("96", 0)):
        done = subprocess.run(
            [*command, f"[{side}, {side}]"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == status
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        assert len(errors) == status // 2
        assert all("allowed by ulimit -v" in line for line in errors)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_arrays_that_are_mapped_are_given_back_where_freed_memory_is_kept():
    code = (
        "import psutil; from difftem.simulation.freed_memory import *; from contextlib import *;"
        "import torch; keep_freed_memory(); rss = lambda: psutil.Process().memory_info().rss;"
        "torch.ones(4); before, left = rss(), [];\n"
        "for mapped in (True, False):\n"
        "    with mapping_large_arrays() if mapped else nullcontext():\n"
        "        large = torch.ones(50_000_000); del large\n"
        "    left.append(rss() - before)\n"
        "return_freed_memory(); print(*left, rss() - before)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    mapped, kept, returned = map(int, done.stdout.split())
    assert mapped < 0.05 * GB and kept > 0.19 * GB and returned < 0.05 * GB
