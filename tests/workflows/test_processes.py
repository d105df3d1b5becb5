from pathlib import Path
from types import SimpleNamespace

import pytest

from difftem.workflows.generate import processes
from difftem.workflows.generate.config import GenerateConfig


@pytest.fixture
def made(monkeypatch):
    """Numbers of the items that a writer was asked for, which makes nothing."""
    numbers = []
    writer = SimpleNamespace(make=lambda index, show_slices: numbers.append(index))
    monkeypatch.setattr(processes, "SetWriter", lambda *_: writer)
    return numbers


def shares(made, pending, world, seen=()):
    """Items of every process; what those but the first see may differ."""
    config, dealt = GenerateConfig(devices=world), []
    for rank in range(world):
        others = SimpleNamespace(
            global_rank=rank,
            local_rank=rank,
            world_size=world,
            broadcast=lambda mine: (config, pending),
            barrier=lambda: None,
        )
        looked = pending if rank == 0 else list(seen)
        processes.make_items(config, Path("set"), looked, others)
        dealt.append(made.copy())
        made.clear()
    return dealt


@pytest.mark.parametrize("world", [2, 3, 7, 10])
def test_every_item_is_made_once_whatever_the_number_of_processes(made, world):
    pending = [0, 3, 4, 7, 8, 9, 11]
    dealt = shares(made, pending, world)
    assert sorted(item for share in dealt for item in share) == pending
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_a_process_that_looks_late_deals_as_the_first_one_did(made):
    pending = list(range(6))
    assert shares(made, pending, 2, seen=[2, 3, 4, 5]) == shares(made, pending, 2)


def test_a_process_alone_makes_all_of_them(made):
    processes.make_items(GenerateConfig(), Path("set"), [4, 2, 9], None)
    assert made == [4, 2, 9]


def test_processes_begin_as_the_system_lets_them(monkeypatch):
    assert processes._start_method(on_gpu=True) == "spawn"
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])  # Windows
    assert processes._start_method(on_gpu=False) == "spawn"
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["fork", "forkserver"])
    assert processes._start_method(on_gpu=False) == "forkserver"
