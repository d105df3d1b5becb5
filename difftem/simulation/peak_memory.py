"""How much memory a process took."""

import re
import sys
from pathlib import Path

import psutil

STATUS = Path("/proc/self/status")


def peak_memory_bytes() -> int:
    """High-water mark of this process's resident memory in bytes."""
    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):  # Windows
        return info.peak_wset
    # Linux carries `ru_maxrss` over from the process that started this one, but not this mark.
    text = STATUS.read_text() if STATUS.exists() else ""
    if mark := re.search(r"^VmHWM:\s*(\d+) kB", text, re.MULTILINE):
        return int(mark[1]) * 1024
    import resource  # Windows has none

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
