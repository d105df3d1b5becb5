"""Topaz's place is taken by a script that does what the test wants."""

import subprocess
import sys
import venv

import pytest
import torch

from difftem.baselines import topaz_environment
from difftem.baselines.topaz import topaz, topaz_small
from difftem.baselines.topaz_environment import find_topaz, make_environment

COPY = 'mkdir out && cp image.mrc out/image.mrc && echo "$@" > "$0.words"'


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Make a script that runs as Topaz, in the environment that DIFFTEM_TOPAZ names."""
    path = tmp_path / "env" / "bin" / "topaz"
    path.parent.mkdir(parents=True)
    monkeypatch.setenv("DIFFTEM_TOPAZ", str(tmp_path / "env"))

    def write(lines):
        path.write_text(f"#!/bin/sh\n{lines}\n", "utf-8")
        path.chmod(0o755)
        return path

    return write


def test_whitened_values_go_out_and_come_back_with_the_model_that_was_asked_for(program, generator):
    path = program(COPY)
    exposures = torch.randn(4, 20, 31, generator=generator)
    for method, model in ((topaz, "unet"), (topaz_small, "unet-small")):
        torch.testing.assert_close(method(exposures, 5.0), exposures.mean(0))
        words = (path.parent / "topaz.words").read_text("utf-8")
        assert words == f"denoise image.mrc -o out -m {model} -d -1 -s 0\n"


def test_a_model_is_a_file_too_and_large_images_are_left_to_its_tiles(program, tmp_path):
    path = program(COPY)
    (tmp_path / "mine.sav").touch()
    topaz(torch.zeros(1, 2048, 2049), 5.0, model=tmp_path / "mine.sav")
    words = (path.parent / "topaz.words").read_text("utf-8")
    assert words == f"denoise image.mrc -o out -m {tmp_path}/mine.sav -d -1\n"
    with pytest.raises(ValueError, match=r"^none.sav: no such file, and none of .*: unet, unet-sm"):
        topaz(torch.zeros(1, 8, 8), 5.0, model="none.sav")


def test_larger_pixels_lose_what_they_cannot_show_and_no_more(program):
    program(COPY)
    flat = torch.full((1, 24, 24), 0.5)
    torch.testing.assert_close(topaz(flat, 5.0, binning=2.0), flat[0])
    checks = flat * (1 - 2 * (torch.arange(24) % 2))
    assert topaz(checks, 5.0, binning=2.0)[:, 2:-2].abs().max() < 0.1  # edges mirror


def test_a_failure_is_its_last_line(program):
    path = program("echo first >&2; echo 'RuntimeError: out of paper' >&2; exit 3")
    with pytest.raises(ValueError) as error:
        topaz(torch.zeros(1, 8, 8), 5.0)
    assert str(error.value) == f"{path} denoise failed with code 3: RuntimeError: out of paper"


def test_a_version_that_loads_another_model_is_refused(program):
    program(f"{COPY}; echo '# loading pretrained model: unet_L2_v0.2.2.sav'")
    topaz(torch.zeros(1, 8, 8), 5.0)
    with pytest.raises(ValueError, match=r"loads its unet instead of unet-small: .* 0\.2\.5 does"):
        topaz_small(torch.zeros(1, 8, 8), 5.0)


def test_a_missing_topaz_is_said_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFTEM_TOPAZ", str(tmp_path / "none"))
    words = rf"not in {tmp_path}/none: python -m difftem\.baselines\.topaz_environment installs"
    with pytest.raises(ValueError, match=words):
        topaz(torch.zeros(1, 8, 8), 5.0)


def test_the_command_finds_an_executable_or_makes_an_environment(program, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["topaz_environment"])
    made = []

    def make(folder):
        made.append(folder)
        program(COPY)

    monkeypatch.setattr(topaz_environment, "make_environment", make)
    assert topaz_environment.main() == topaz_environment.main() == 0
    assert made == [topaz_environment.topaz_folder()]
    printed = capsys.readouterr().out
    assert printed == f"installed {find_topaz()}\nTopaz is there: {find_topaz()}\n"


def test_an_environment_shares_torch_and_a_failing_pip_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(venv, "create", lambda folder, with_pip: None)
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    calls = []

    def pip(words, check):
        calls.append(words[-1])
        return subprocess.CompletedProcess(words, len(calls) - 1)

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(ValueError, match=r"topaz-em==0\.2\.5 failed: .* is not complete"):
        make_environment(tmp_path)
    shared = (packages / "of_difftem.pth").read_text("utf-8").strip()
    assert (tmp_path / shared / "torch" / "__init__.py").is_file()
    assert calls == ["setuptools<81", "topaz-em==0.2.5"]
