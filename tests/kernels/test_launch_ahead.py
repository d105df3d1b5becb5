import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.compile_ahead import KERNELS

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_launch_compiles_and_few_variants_serve_all_slices(triton_cache):
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernels.launch_ahead"],
        cwd=ROOT,
        env=environment | {"TRITON_CACHE_DIR": str(triton_cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    launched = {name for case in found.values() for name in case}
    assert launched == {name.partition(".")[2] for name in KERNELS}
    # Both directions of a propagator; two numbers of layers; real and complex patches.
    assert all(number <= 2 for case in found.values() for number in case.values()), found
