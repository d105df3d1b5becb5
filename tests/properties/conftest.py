"""Malformed files, tried on every reader, and a tally of what came of them."""

import contextlib
import io
import os
import re
import signal
import sys
from dataclasses import dataclass, field

import pytest

from difftem.cli.guard import guarded
from difftem.cli.terminal import log_to_terminal

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []  # it has no timers
CPU_SECONDS, SECONDS = 10, 60  # of the first attempt, which loads libraries, six times as many
_KEY = re.compile(r"\b[a-z]+(_[a-z0-9]+)+\b|\b[a-z_]+\.[a-z_]+|--[a-z]+")


class Hang(BaseException):
    """An attempt that took too long; no handler of errors takes it."""


@dataclass
class Tally:
    """What came of all attempts of a session."""

    tried: int = 0
    refused: int = 0
    vague: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind, text):
        self.faults.setdefault(kind, []).append(text)

    def line(self):
        counts = {
            kind: len(self.faults.get(kind, []))
            for kind in ("internal error", "hang", "leftover", "code executed", "not one line")
        }
        rest = ", ".join(f"{kind}: {n}" for kind, n in counts.items())
        return (
            f"malformed inputs: {self.tried}, refused in one line: {self.refused}, {rest}, "
            f"vague (neither file nor key named): {self.vague}"
        )


TALLY = Tally()


def pytest_collection_modifyitems(config, items):
    """Leave the thorough ones out unless they are asked for."""
    if "thorough" not in config.option.markexpr:
        left = [each for each in items if each.get_closest_marker("thorough")]
        items[:] = [each for each in items if not each.get_closest_marker("thorough")]
        if left:
            config.hook.pytest_deselected(items=left)


def pytest_terminal_summary(terminalreporter):
    """Print the tally."""
    if TALLY.tried:
        terminalreporter.write_line(TALLY.line())


def _stop(number, frame):
    raise Hang


@pytest.fixture
def attempt(tmp_path):
    """Write a file, do something with it, hold what happens against the rules: a function.

    At the end, the faults of all attempts are shown.
    """
    found = []

    def call(name, content, action):
        path = tmp_path / name
        path.write_bytes(content)
        TALLY.tried += 1
        errors = io.StringIO()
        patience = 1 if call.warm else 6
        timers = {signal.ITIMER_PROF: CPU_SECONDS, signal.ITIMER_REAL: SECONDS}
        before = {each: signal.signal(each, _stop) for each in (signal.SIGPROF, signal.SIGALRM)}
        for timer, seconds in timers.items():
            signal.setitimer(timer, patience * seconds)
        kind, code = None, None
        try:
            with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
                log_to_terminal()
                code = guarded(lambda: action(path) or 0)
        except Hang:
            kind = "hang"
        except BaseException as error:
            kind = f"not one line ({type(error).__name__})"
        finally:
            for timer in timers:
                signal.setitimer(timer, 0)
            for each, handler in before.items():
                signal.signal(each, handler)
            call.warm = True
        lines = errors.getvalue().splitlines()
        said = [line for line in lines if line.startswith("difftem: error: ")]
        if code == 2:
            TALLY.refused += 1
            if len(said) != 1 or lines[-1] != said[0] or len(said[0]) > 600:
                kind = "not one line"
            elif name not in said[0] and not _KEY.search(said[0].replace("difftem: error", "")):
                TALLY.vague += 1
                found.append(f"vague: {said[0]}")
        elif code not in (0, 2, None):
            kind = "internal error"
        left = [p for p in tmp_path.iterdir() if p != path and p.name not in call.allowed]
        if left and code != 0:
            kind = "leftover"
        if (tmp_path / "planted").exists():
            kind = "code executed"
        for each in left:
            _remove(each)
        path.unlink()
        if kind is not None:
            what = f"{kind}: {name}: {said or lines[-1:]} {left} from {content[:3000]!r}"
            TALLY.add(kind.partition(" (")[0], what)
            found.append(what)
        return code

    call.allowed, call.warm = set(), False
    yield call
    assert not [each for each in found if not each.startswith("vague")], "\n\n".join(found[:20])
    if os.environ.get("SHOW_VAGUE"):
        print("\n".join(sorted(set(found))), file=sys.stderr)


def _remove(path):
    """Remove a file or a folder."""
    if path.is_dir():
        for each in path.iterdir():
            _remove(each)
        path.rmdir()
    else:
        path.unlink()


@pytest.fixture(params=[1, pytest.param(10, marks=pytest.mark.thorough)], ids=["few", "many"])
def times(request):
    """How many times the few examples of the suite."""
    return request.param
