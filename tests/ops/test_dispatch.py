import subprocess
import sys
from pathlib import Path

import pytest
import torch

from difftem.ops.dispatch import kernel_mode, use_triton

ROOT = Path(__file__).parents[2]


class OnDevice:
    """What the dispatch reads of a tensor, for a device that need not be there."""

    def __init__(self, dtype, is_cuda=True, number=0):
        self.dtype, self.is_cuda, self.number = dtype, is_cuda, number

    def get_device(self):
        return self.number


@pytest.fixture(autouse=True)
def first_gpu_is_current(monkeypatch):
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)


SINGLE, DOUBLE = OnDevice(torch.float32), OnDevice(torch.float64)
ON_CPU = OnDevice(torch.float32, is_cuda=False)


@pytest.mark.parametrize("value", [None, "", "auto"])
def test_by_default_single_precision_on_a_gpu_goes_to_triton(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("DIFFTEM_KERNELS", raising=False)
    else:
        monkeypatch.setenv("DIFFTEM_KERNELS", value)
    assert kernel_mode() == "auto"
    assert use_triton(SINGLE, OnDevice(torch.complex64))
    assert not use_triton(SINGLE, DOUBLE)
    assert not use_triton(OnDevice(torch.complex128))
    assert not use_triton(SINGLE, ON_CPU)
    # PyTorch minds a tensor's device, Triton launches on the current one.
    assert not use_triton(SINGLE, OnDevice(torch.float32, number=1))
    assert not use_triton(torch.zeros(2))


def test_the_environment_overrides_it(monkeypatch):
    monkeypatch.setenv("DIFFTEM_KERNELS", "torch")
    assert not use_triton(SINGLE)
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")
    assert use_triton(SINGLE, DOUBLE)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert use_triton(ON_CPU)


def test_triton_on_a_cpu_without_its_interpreter_is_refused(monkeypatch):
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(ValueError, match="needs tensors on a CUDA device, or TRITON_INTERPRET=1"):
        use_triton(ON_CPU)


def test_triton_on_another_device_than_the_current_one_is_refused(monkeypatch):
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")
    with pytest.raises(ValueError, match="needs tensors on the current CUDA device"):
        use_triton(SINGLE, OnDevice(torch.float32, number=1))


@pytest.mark.parametrize("value", ["cuda", "Triton", "1"])
def test_wrong_value_is_refused_in_one_line(monkeypatch, value):
    monkeypatch.setenv("DIFFTEM_KERNELS", value)
    with pytest.raises(ValueError) as caught:
        use_triton(torch.zeros(1))
    expected = f"DIFFTEM_KERNELS must be one of auto, torch, triton, got {value!r}"
    assert str(caught.value) == expected


def test_missing_triton_leaves_a_gpu_to_pytorch(monkeypatch):
    from difftem.ops import dispatch

    monkeypatch.delenv("DIFFTEM_KERNELS", raising=False)
    monkeypatch.setattr(dispatch, "_triton_is_installed", lambda: False)
    assert not use_triton(SINGLE)


def test_a_simulation_on_a_cpu_never_imports_triton():
    code = """
import sys, torch
from difftem.modules import Beam, Multislice, Potential
from tests.helpers.specimen import random_atoms
atoms = random_atoms(5, (8.0, 8.0, 4.0))
beam = Beam(300.0)
potential = Potential(atoms, (20, 24), 0.5, 2, 2.0, learnable=("positions",))
wave = Multislice(0.5, 2.0)(potential.source(), beam)
wave.abs().sum().backward()
assert potential.positions.grad.abs().max() > 0
assert "triton" not in sys.modules and "kernels_triton" not in sys.modules
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
