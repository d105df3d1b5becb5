import pickle
import subprocess
import sys

import pytest
import torch

from difftem.simulation.memory import is_out_of_memory

SCRIPT = """
import resource, sys
from difftem.simulation.freed_memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
import torch
images = [torch.ones(10240, 1024) for _ in range(3)]  # 40 MB: glibc keeps up to 32 MB by itself
del images
for _ in range(16):
    torch.ones(10240, 1024)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(mode):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, mode], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_freed_arrays_are_used_again_instead_of_new_pages():
    pages = 40 * 1024**2 // 4096
    assert faults("plain") - faults("keep") > 5 * pages


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] can't allocate memory: you tried"),
    ],
)
def test_lack_of_memory_is_recognised_here_and_in_another_process(error):
    assert is_out_of_memory(error)
    assert is_out_of_memory(pickle.loads(pickle.dumps(error)))


def test_other_errors_are_not():
    assert not is_out_of_memory(RuntimeError("shapes differ"))
