"""How the command uses the machine: freed memory is kept."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of glibc's mallopt; see its manual page.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
MAPPED = 65536  # arrays at a time that have a mapping of their own: glibc's default
_keeps = False  # whether this process keeps it
NEVER = 2**31 - 1  # bytes at the end of the heap before they are given back: the largest it takes


def keep_freed_memory() -> None:
    """Let malloc reuse the memory of freed arrays instead of returning it to the system.

    An image of 4096² is far above malloc's limit for that, so every intermediate one would be
    mapped, zeroed page by page and unmapped again: a third of the time of a large micrograph.
    Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    global _keeps
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    _keeps = True


@contextmanager
def mapping_large_arrays() -> Iterator[None]:
    """Give large arrays mappings of their own meanwhile, if `keep_freed_memory` took them away.

    Arrays of gigabytes that are made once leave holes in the heap that none of the next fits into.
    """
    if not _keeps:
        yield
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_MMAP_MAX, MAPPED)
    try:
        yield
    finally:
        mallopt(M_MMAP_MAX, 0)


def return_freed_memory() -> None:
    """Give freed memory back to the system once, where it is in pieces that little would reuse."""
    if not sys.platform.startswith("linux"):
        return
    try:
        malloc_trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    malloc_trim(0)
