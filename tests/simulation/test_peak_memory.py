import subprocess
import sys
from pathlib import Path

import pytest

from difftem.simulation import peak_memory

ROOT = Path(__file__).parents[2]


def test_the_mark_counts_what_was_freed_again():
    before = peak_memory.peak_memory_bytes()
    block = bytearray(b"x") * 300_000_000
    del block
    assert peak_memory.peak_memory_bytes() > max(3e8, before)


@pytest.mark.skipif(not peak_memory.STATUS.exists(), reason="ru_maxrss is inherited")
def test_the_mark_is_not_inherited_from_the_parent():
    block = bytearray(b"x") * 300_000_000
    code = "from difftem.simulation.peak_memory import *; print(peak_memory_bytes())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 5e6 < float(done.stdout) < len(block) / 2
