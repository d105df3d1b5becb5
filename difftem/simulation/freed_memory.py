"""How the command uses the machine: freed memory is kept."""

import ctypes
import sys

# Of glibc's mallopt; see its manual page.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
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
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, NEVER)


def return_freed_memory() -> None:
    """Give freed memory back to the system once, where it is in pieces that little would reuse."""
    if not sys.platform.startswith("linux"):
        return
    try:
        malloc_trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    malloc_trim(0)
