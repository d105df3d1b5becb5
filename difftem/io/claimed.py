"""An output folder of one run: a lock on it, and names of what a killed run leaves."""

import os
import platform
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from difftem.io.errors import input_error

LOCK = ".difftem.lock"
_HOST = re.sub(r"\W", "-", platform.node())[:20] or "host"
_TEMPORARY = re.compile(r"\..+?(\.(?P<host>[^.]*))?\.(?P<process>\d{1,9})\.tmp", re.DOTALL)
_held = threading.local()  # folders that this thread holds


def temporary_path(path: Path) -> Path:
    """Hidden name beside a path for what will get its name once it is whole."""
    return path.with_name(f".{path.name}.{_HOST}.{os.getpid()}.tmp")


def is_temporary(name: str) -> bool:
    """Whether a file's name is one of `temporary_path`, or the lock's."""
    return name == LOCK or _TEMPORARY.fullmatch(name) is not None


def remove_stale(folder: Path, of: str | None = None) -> None:
    """Remove what runs that were killed left under temporary names.

    That of a process that lives, or may live on another computer, stays.

    Parameters
    ----------
    folder : Path
        Where to look.
    of : str, optional
        Name of the file that was meant. Default: all.
    """
    with suppress(OSError):
        for each in list(folder.iterdir()):
            found = _TEMPORARY.fullmatch(each.name)
            if found is None or (of is not None and not each.name.startswith(f".{of}.")):
                continue
            if found["host"] in (_HOST, None) and not _lives(int(found["process"]), each):
                if each.is_dir() and not each.is_symlink():
                    shutil.rmtree(each, ignore_errors=True)
                else:
                    with suppress(OSError):
                        each.unlink()


def _lives(number: int, made: Path) -> bool:
    """Whether the process that made a file still runs, and not a later one of its number."""
    import psutil

    try:
        return psutil.Process(number).create_time() <= made.stat().st_mtime + 1
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):
        return True


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Let no second run write into a folder; what killed runs left in it is removed.

    The thread that holds a folder may claim it again.

    Parameters
    ----------
    folder : Path
        That exists.

    Raises
    ------
    InputError
        If another run, or another thread, holds it.
    """
    from filelock import FileLock, Timeout

    holds: set[Path] = _held.__dict__.setdefault("folders", set())
    place = folder.resolve()
    if place in holds:
        yield
        return
    lock = FileLock(place / LOCK, fallback_to_soft=False)  # a soft lock outlives a killed run
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise input_error(folder, "another run is writing there") from None
    except OSError:  # some network file systems have no locks
        pass
    holds.add(place)
    try:
        remove_stale(place)
        yield
    finally:
        holds.discard(place)
        with suppress(OSError):  # Windows removes no open file; there filelock does, once closed
            (place / LOCK).unlink()
        lock.release()
