"""Checkpoints are files of this machine, hold no code that runs, and are whole."""

import contextlib
import functools
import http.server
import os
import pickle
import threading

import pytest
import torch

from difftem.cli.commands import COMMANDS
from difftem.cli.main import main
from tests.helpers.fit import config

LIGHTNING = [name for name, (module, _) in COMMANDS.items() if module == "difftem.cli.fit"]


class Planting:
    """Pickled code that makes a file where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Configuration of a fit by psd of two steps, and its checkpoint."""
    folder = tmp_path_factory.mktemp("fitted")
    path = config(folder, max_steps=2)
    assert main(["fit", "--config", str(path), "--model.init_args.loss", "psd"]) == 0
    return path, folder / "run/checkpoints/last.ckpt"


@pytest.fixture
def refused(fitted, capsys):
    """Give a checkpoint to a command, which must refuse it: its line."""

    def call(checkpoint, command="fit", *more):
        given = ["--config", str(fitted[0]), "--model.init_args.loss", "psd"]
        capsys.readouterr()
        assert main([command, *given, "--ckpt_path", str(checkpoint), *more]) == 2
        (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("difftem:")]
        return line

    return call


@pytest.mark.parametrize("command", LIGHTNING)
@pytest.mark.parametrize("packed", [True, False])
def test_pickled_code_is_not_executed(refused, fitted, tmp_path, command, packed):
    planted = tmp_path / "planted"
    saved = torch.load(fitted[1], weights_only=True) | {"more": Planting(planted)}
    if packed:
        torch.save(saved, tmp_path / "evil.ckpt")
    else:
        (tmp_path / "evil.ckpt").write_bytes(pickle.dumps(saved["more"]))
    said = refused(tmp_path / "evil.ckpt", command)
    assert "evil.ckpt: not a checkpoint, or not a whole one" in said
    assert not planted.exists()
    with contextlib.suppress(RuntimeError):
        torch.load(tmp_path / "evil.ckpt", weights_only=False)
    assert planted.exists()  # the code works where it is let


@pytest.fixture
def served(tmp_path):
    """Address of a folder on a server of this machine, and what was asked of it."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize("command", LIGHTNING)
def test_nothing_is_fetched_from_an_address(refused, fitted, served, tmp_path, command):
    torch.save(Planting(tmp_path / "planted"), tmp_path / "evil.ckpt")
    address, asked = served
    assert "must name a checkpoint on this machine" in refused(f"{address}/evil.ckpt", command)
    assert "no such file" in refused(f"file://{tmp_path}/evil.ckpt", command)
    assert "no such file" in refused(f"simplecache::{address}/evil.ckpt", command)
    said = refused(fitted[1], command, "--weights_only", "false")
    assert "weights_only must be true" in said
    assert asked == [] and not (tmp_path / "planted").exists()


def test_a_local_file_with_the_name_of_an_address_is_that_file(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:" / "127.0.0.1:9").mkdir(parents=True)
    (tmp_path / "http:" / "127.0.0.1:9" / "a.ckpt").write_text("junk")
    assert "not a checkpoint" in refused("http://127.0.0.1:9/a.ckpt")
    (tmp_path / "http.ckpt").write_text("junk")
    assert "not a checkpoint" in refused("http.ckpt")


@pytest.mark.parametrize("word", ["last", "best", "hpc", "registry:model", ".", "/dev/null"])
def test_words_folders_and_devices_are_refused(refused, word):
    assert f"{word}: " in (said := refused(word))
    assert "--ckpt_path must name a checkpoint on this machine" in said


def spoil(saved):
    next(iter(saved["state_dict"].values())).fill_(torch.nan)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil, "holds NaN or infinity: that run had diverged"),
        (lambda s: s.pop("optimizer_states"), "checkpoint contains only the model"),
        (lambda s: s.pop("pytorch-lightning_version"), "KeyError: 'pytorch-lightning_version'"),
        (lambda s: s.update(loops={}), "KeyError: 'fit_loop'"),
        (lambda s: s.update(optimizer_states=[{}]), "not a whole checkpoint"),
        (lambda s: s.update(optimizer_states=3), "not a whole checkpoint"),
        (lambda s: s.update(callbacks=3), "not a whole checkpoint"),
        (lambda s: s.update(state_dict=[1]), "its state_dict holds no tensors"),
        (lambda s: s.update(state_dict={"a": 1}), "its state_dict holds no tensors"),
        (lambda s: s.update(hyper_parameters=7), "hyper_parameters without names"),
    ],
)
def test_a_checkpoint_that_lacks_something_is_named(fitted, refused, tmp_path, change, message):
    saved = torch.load(fitted[1], weights_only=True)
    change(saved)
    torch.save(saved, tmp_path / "part.ckpt")
    said = refused(tmp_path / "part.ckpt")
    assert f"{tmp_path}/part.ckpt: " in said
    assert message in said
