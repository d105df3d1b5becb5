import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kernels_triton
from tests.kernels.compile_ahead import KERNELS

ROOT = Path(__file__).parents[2]
SHARED_MEMORY = {"sm_80": 166_912, "sm_90": 232_448}  # bytes that one program may have


@pytest.fixture(scope="module")
def compiled(triton_cache):
    """Bytes of shared memory by architecture, kernel and variant, from a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(triton_cache)
    command = [sys.executable, "-m", "tests.kernels.compile_ahead", *SHARED_MEMORY]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("architecture", SHARED_MEMORY)
def test_every_kernel_compiles_ahead_within_its_shared_memory(compiled, architecture):
    found = {key: size for key, size in compiled.items() if key.startswith(architecture)}
    assert len(found) == sum(len(variants) for variants in KERNELS.values())
    assert all(0 <= size <= SHARED_MEMORY[architecture] for size in found.values()), found


def test_every_kernel_is_on_the_list():
    names = {
        f"{path.stem}.{line.split('(')[0].removeprefix('def ')}"
        for path in Path(kernels_triton.__file__).parent.glob("*.py")
        for line in path.read_text().splitlines()
        if line.startswith("def ") and "_kernel(" in line
    }
    assert names == KERNELS.keys()
