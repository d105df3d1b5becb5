"""Several processes make one set, and end together, whatever happens to one of them."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest

from difftem.cli.main import main
from tests.helpers.generated_set import ITEM, SET, contents

MANY = ("--micrographs", 40, "--devices", 2)


def command(pdb, folder, cache, micrographs, devices):
    return [
        *(sys.executable, "-m", "difftem", "generate", "--output", str(folder)),
        *("--particles", f"[{{name: blob, source: {pdb}, count: 3}}]"),
        *("--sampling.size", "[64, 48]", "--sampling.pixel_size", "2", "--sampling.padding", "36"),
        *("--threads", "1", "--cache", str(cache), "--micrographs", str(micrographs)),
        *("--devices", str(devices)),
    ]


def wait_for_two_items(folder):
    deadline = time.monotonic() + 120
    while len(list(folder.glob("0*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)


def after_two_items(folder, action):
    """Do something with the workers of this process once there are items; returns the workers."""
    workers = []

    def watch():
        wait_for_two_items(folder)
        workers.extend(multiprocessing.active_children())
        action(workers)

    threading.Thread(target=watch, daemon=True).start()
    return workers


def are_running(processes):
    """Whether any is, some seconds later; one that nobody waits for stays as a zombie."""
    _, alive = psutil.wait_procs(processes, timeout=5)
    return any(each.status() != psutil.STATUS_ZOMBIE for each in alive)


def errors(text):
    """Lines that say why a run ended; others are about files and templates."""
    return [each for each in text.splitlines() if each.startswith("difftem: error")]


def items(folder):
    return [path for path in folder.iterdir() if path.is_dir()]


def test_four_processes_make_the_same_bytes_as_one(generate, tmp_path, monkeypatch):
    one, four = tmp_path / "one", tmp_path / "four"
    given = ("--micrographs", 6, "--variation.defocus_um", "[0.8, 2.5]")
    assert generate(*given, output=one)[0] == 0
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code, captured, _ = generate(*given, "--devices", 4, output=four)
    assert code == 0
    assert "micrographs: 100%" in captured.err and "6/6" in captured.err
    # Of the set's, templates is a folder of a map and a table.
    assert len(contents(one)) == 6 * len(ITEM) + len(SET) + 1
    assert contents(one) == contents(four)


def test_a_run_that_was_killed_leaves_whole_items_and_goes_on(pdb, tmp_path, template_cache):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = subprocess.Popen(
        command(pdb, killed, template_cache, 40, 2),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    wait_for_two_items(killed)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.kill()
    process.communicate()
    assert not are_running(children)
    there = [path for path in items(killed) if path.name[0] != "."]
    assert 2 <= len(there) < 40
    for item in there:
        assert {path.name.replace(item.name, "000000") for path in item.iterdir()} == ITEM
    times = {item: (item / "run.json").stat().st_mtime_ns for item in there}
    n = max(int(item.name) for item in there) + 2
    (killed / ".000017.4242.tmp").mkdir(exist_ok=True)
    (killed / ".000017.4242.tmp" / "noise_free.mrc").write_text("half")
    for folder in (killed, whole):
        assert main(command(pdb, folder, template_cache, n, 1)[3:]) == 0
    assert {item: (item / "run.json").stat().st_mtime_ns for item in there} == times
    first, second = contents(killed), contents(whole)
    assert first.pop("generate.yaml")["micrographs"] == 40
    assert second.pop("generate.yaml")["micrographs"] == n
    assert first == second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_of_a_batch_job_and_ctrl_c_end_all_with_one_line(
    generate, tmp_path, capsys, number
):
    def end(workers):
        for worker in workers if number == signal.SIGINT else ():  # a terminal tells all of them
            os.kill(worker.pid, number)
        os.kill(os.getpid(), number)

    workers = after_two_items(tmp_path / "set", end)
    with pytest.raises(SystemExit) as stopped:
        generate(*MANY)
    assert stopped.value.code == 130
    (line,) = errors(capsys.readouterr().err)
    assert line.startswith("difftem: error: interrupted")
    assert "of 40 micrographs" in line
    assert len(workers) == 2
    assert not any(worker.is_alive() for worker in workers)
    assert 2 <= len(items(tmp_path / "set")) < 40
    assert not list((tmp_path / "set").glob(".*"))


def test_a_worker_that_was_killed_is_named_with_advice(generate, tmp_path):
    workers = after_two_items(tmp_path / "set", lambda workers: workers[0].kill())
    code, captured, folder = generate(*MANY)
    assert code == 2
    (line,) = errors(captured.err)
    assert f"process {workers[0].pid} was ended by SIGKILL, perhaps for want of memory" in line
    assert "fewer devices take less" in line
    assert not any(worker.is_alive() for worker in workers)
    assert not list(folder.glob(".*"))


def test_an_error_of_a_worker_is_its_own_line(generate):
    _, _, folder = generate()
    (folder / "000002").write_text("in the way")
    code, captured, _ = generate("--micrographs", 4, "--devices", 2)
    assert code == 2
    (line,) = errors(captured.err)
    assert line.startswith("difftem: error: [Errno 20] Not a directory")
    assert "000002" in line
    assert not multiprocessing.active_children()
    assert not list(folder.glob(".*"))


def test_a_gpu_works_for_one_process(generate, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    code, captured, _ = generate("--micrographs", 2, "--devices", 2, "--accelerator", "cuda")
    assert code == 2
    assert "devices: 2 wanted, 1 GPUs are here" in captured.err


@pytest.mark.slow
def test_processes_that_torchrun_started_make_one_set_anew(generate, pdb, tmp_path, template_cache):
    together, alone = tmp_path / "together", tmp_path / "alone"
    old = generate("--micrographs", 3, "--seed", 1, output=together)
    assert old[0] == generate("--micrographs", 3, output=alone)[0] == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = {
        **os.environ,
        **{"TORCHELASTIC_RUN_ID": "none", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)},
        **{"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"},
    }
    ranks = [
        subprocess.Popen(
            [*command(pdb, together, template_cache, 3, 2), "--overwrite"],
            env={**started, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [rank.communicate(timeout=120)[0] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0]
    assert "3 micrographs, 3 made" in said[0]
    assert said[1] == ""
    assert contents(together) == contents(alone)


def test_a_process_of_the_caller_goes_on(generate):
    sleeper = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    sleeper.start()
    try:
        assert generate("--micrographs", 2, "--devices", 2)[0] == 0
        assert sleeper.is_alive()
    finally:
        sleeper.kill()
        sleeper.join()
