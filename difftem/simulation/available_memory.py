"""How much memory this process may still take: of the machine, its control group, its limits."""

from pathlib import Path

import psutil

CGROUP = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")
UNLIMITED = 2**60  # control groups of version 1 write a number about 2^63


def reachable_bytes() -> tuple[float, str]:
    """Most that this process can come to hold, with what it holds already, and what sets it.

    Returns
    -------
    tuple
        Bytes; and "free", "allowed by the control group" or "allowed by ulimit -v".
    """
    process = psutil.Process()
    memory = process.memory_info()
    limits = [(psutil.virtual_memory().available + memory.rss, "free")]
    group = _group_room()
    if group is not None:
        limits.append((group + memory.rss, "allowed by the control group"))
    address_space = _address_space(process)
    if address_space is not None:
        # Libraries and stacks are mapped beside what is resident.
        limits.append((address_space - (memory.vms - memory.rss), "allowed by ulimit -v"))
    least, what = min(limits)
    return max(0.0, float(least)), what


def _address_space(process: psutil.Process) -> int | None:
    """RLIMIT_AS in bytes, where there are such limits."""
    if not hasattr(process, "rlimit"):
        return None
    soft, _ = process.rlimit(psutil.RLIMIT_AS)
    return None if soft == psutil.RLIM_INFINITY or soft < 0 else soft


def _group_room() -> int | None:
    """Bytes that the control group and those above it leave, or None without a limit."""
    try:
        lines = CGROUP.read_text("utf-8").splitlines()
    except OSError:
        return None
    rooms = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            names = ("memory.max", "memory.current", "inactive_file")
            rooms += _rooms(MOUNT, path, *names)
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            rooms += _rooms(MOUNT / "memory", path, *names)
    return min(rooms, default=None)


def _rooms(mount: Path, path: str, most: str, used: str, cached: str) -> list[int]:
    """Limit minus use of a group and each above it; of the mount alone where it hides the path."""
    group = mount / path.strip("/")
    rooms = []
    for folder in (group, *group.parents):
        if (limit := _number(folder / most)) is not None and limit < UNLIMITED:
            rooms.append(limit - (_number(folder / used) or 0) + _cached(folder, cached))
        if folder == mount:
            break
    return rooms


def _number(path: Path) -> int | None:
    """Content of a file that holds a number; None for "max", or without the file."""
    try:
        text = path.read_text("utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _cached(folder: Path, name: str) -> int:
    """Bytes of files that the kernel drops before it refuses memory."""
    try:
        rows = (folder / "memory.stat").read_text("utf-8").split("\n")
    except OSError:
        return 0
    for row in rows:
        key, _, value = row.partition(" ")
        if key == name:
            return int(value)
    return 0
