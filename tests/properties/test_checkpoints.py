"""Checkpoints that are almost right, and ones with code in them."""

import io
import os

import pytest
import torch
from hypothesis import strategies as st

from difftem.cli.main import main
from tests.helpers.fit import config
from tests.properties.mutations import bytes_of, for_each

VALUES = (None, 0, -1, 10**9, 1e39, float("nan"), "x", [], {}, [1], {"a": 1}, torch.tensor(2.0))


class Planting:
    """Pickled code that makes a folder where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Configuration of a fit by psd of one step, and its checkpoint's content."""
    folder = tmp_path_factory.mktemp("fitted")
    path = config(folder, max_steps=1)
    assert main(["fit", "--config", str(path), "--model.init_args.loss", "psd"]) == 0
    return path, (folder / "run/checkpoints/last.ckpt").read_bytes()


@pytest.fixture
def resume(fitted, tmp_path, monkeypatch):
    """Give a checkpoint to a fit that keeps nothing."""
    monkeypatch.chdir(tmp_path)
    given = ["--config", str(fitted[0]), "--model.init_args.loss", "psd"]
    short = ["--trainer.fast_dev_run", "true"]
    return lambda path: main(["fit", *given, *short, "--ckpt_path", str(path)])


@pytest.mark.filterwarnings("ignore")
def test_mutated_bytes_of_a_checkpoint_are_one_line(attempt, fitted, resume, times):
    assert attempt("a.ckpt", fitted[1], resume) == 0
    for_each(bytes_of(fitted[1]), 10 * times, lambda content: attempt("a.ckpt", content, resume))


@pytest.mark.filterwarnings("ignore")
def test_a_checkpoint_with_parts_lost_or_replaced_is_one_line(attempt, fitted, resume, times):
    whole = torch.load(io.BytesIO(fitted[1]), weights_only=True)
    paths = sorted(_paths(whole), key=str)

    def spoil(drawn):
        path, value, lose = drawn
        content = torch.load(io.BytesIO(fitted[1]), weights_only=True)
        place = content
        for part in path[:-1]:
            place = place[part]
        if lose and isinstance(place, dict):
            del place[path[-1]]
        else:
            place[path[-1]] = value
        file = io.BytesIO()
        torch.save(content, file)
        attempt("a.ckpt", file.getvalue(), resume)

    drawn = st.tuples(st.sampled_from(paths), st.sampled_from(VALUES), st.booleans())
    for_each(drawn, 8 * times, spoil)


@pytest.mark.filterwarnings("ignore")
def test_code_in_a_checkpoint_is_not_executed(attempt, fitted, resume, times, tmp_path):
    whole = torch.load(io.BytesIO(fitted[1]), weights_only=True)
    paths = sorted((path for path in _paths(whole) if len(path) == 1), key=str)

    def plant(path):
        file = io.BytesIO()
        torch.save(whole | {path[0]: Planting(tmp_path / "planted")}, file)
        attempt("a.ckpt", file.getvalue(), resume)

    for_each(st.sampled_from(paths), 3 * times, plant)


def _paths(value, before=()):
    """Places of everything in nested mappings and lists."""
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for name, each in items:
        yield (*before, name)
        yield from _paths(each, (*before, name))
