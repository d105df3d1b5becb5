import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
from difftem.cli.process import keep_freed_memory, let_idle_threads_sleep
if sys.argv[1] == "keep":
    keep_freed_memory()
let_idle_threads_sleep()
import os, torch
images = [torch.ones(10240, 1024) for _ in range(3)]  # 40 MB: glibc keeps up to 32 MB by itself
del images
for _ in range(16):
    torch.ones(10240, 1024)
print(os.environ["OMP_WAIT_POLICY"], resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(mode):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, mode], capture_output=True, text=True, check=True
    )
    policy, count = done.stdout.split()
    assert policy == "PASSIVE"
    return int(count)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_freed_arrays_are_used_again_instead_of_new_pages():
    pages = 40 * 1024**2 // 4096
    assert faults("plain") - faults("keep") > 5 * pages
