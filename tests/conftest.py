"""What every test relies on: quiet tools, few threads, a fixed seed, a device, real data."""

import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

# Before anything imports a kernel, a plot or W&B.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
os.environ["WANDB_MODE"] = "disabled"
os.environ["MPLBACKEND"] = "Agg"
sys.argv = ["difftem"]  # Lightning's command line looks at it
# Shells have commands in the background ignore Ctrl-C, and all that these start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# On a busy machine two threads wait for one another: OMP_NUM_THREADS=1 keeps a run to one.
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
if "PYTEST_XDIST_WORKER" in os.environ:  # one of two processes: more threads wait for one another
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # in what the tests start

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Share folders between two processes; what names files or chooses tests stays in one."""
    chosen = config.option.keyword or config.option.markexpr
    files = [arg for arg in config.args if not Path(arg).is_dir()]
    return 0 if chosen or files or config.option.collectonly else 2


@pytest.fixture(autouse=True)
def seed():
    """Start every test from the same random state, also inside third-party code."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # third-party code draws from the legacy state
    torch.manual_seed(0)


@pytest.fixture
def generator():
    """Random numbers of a CPU generator with seed 0."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    """Each device this machine has."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.device(request.param)


@pytest.fixture(
    params=[
        pytest.param(("cpu", torch.float64, 1e-12), id="interpreter-float64"),
        pytest.param(("cpu", torch.float32, 3e-6), id="interpreter-float32"),
        pytest.param(("cuda", torch.float32, 3e-6), id="cuda-float32", marks=pytest.mark.gpu),
    ]
)
def kernels(request, monkeypatch):
    """Device, dtype and tolerance of Triton kernels: interpreted, or on the GPU if there is one."""
    device, dtype, tolerance = request.param
    if (device == "cuda") != torch.cuda.is_available():
        pytest.skip("kernels are interpreted where there is no CUDA device, and only there")
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")
    return torch.device(device), dtype, tolerance


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real and golden data beside the repository; it is not part of it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no data folder ../shared/data beside the repository")
    return SHARED_DATA


@pytest.fixture(scope="session")
def drawing():
    """Skip where the extra render is missing, or nothing draws without a display."""
    pytest.importorskip("pyvista", reason="the extra render is not installed")
    from difftem.workflows.render.scene import check_drawing

    try:
        check_drawing()
    except ValueError as error:
        pytest.skip(str(error))


@pytest.fixture
def poisoned_empty(monkeypatch):
    """Fill what `torch.empty` and its kin return with NaN, so that an unwritten element shows."""

    def poison(allocate):
        def poisoned(*args, **kwargs):
            tensor = allocate(*args, **kwargs)
            if tensor.is_floating_point() or tensor.is_complex():
                with torch.no_grad():
                    tensor.fill_(float("nan"))
            return tensor

        return poisoned

    monkeypatch.setattr(torch, "empty", poison(torch.empty))
    monkeypatch.setattr(torch, "empty_like", poison(torch.empty_like))
    monkeypatch.setattr(torch.Tensor, "new_empty", poison(torch.Tensor.new_empty))
