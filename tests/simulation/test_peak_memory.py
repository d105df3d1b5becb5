import subprocess
import sys
from pathlib import Path

import pytest

from difftem.simulation import peak_memory

ROOT = Path(__file__).parents[2]


def printed(code):
    """Number that a process of its own prints: what other tests took does not count."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_the_mark_counts_what_was_freed_again():
    code = (
        "from difftem.simulation.peak_memory import *; before = peak_memory_bytes();"
        "block = bytearray(b'x') * 300_000_000; del block; print(peak_memory_bytes() - before)"
    )
    assert printed(code) > 2.9e8


@pytest.mark.skipif(not peak_memory.STATUS.exists(), reason="ru_maxrss is inherited")
def test_the_mark_is_not_inherited_from_the_parent():
    block = bytearray(b"x") * 300_000_000
    code = "from difftem.simulation.peak_memory import *; print(peak_memory_bytes())"
    assert 5e6 < printed(code) < len(block) / 2
