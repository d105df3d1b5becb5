"""Whatever a command raises: one line of bounded length and an exit code, never a traceback."""

import os
import subprocess
import sys

import pytest

from difftem.cli import guard
from difftem.cli.main import main


def raising(error):
    def run():
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("a.mrc:\n no data"), 2, "a.mrc: no data"),
        (OSError(28, "No space left on device", "a.mrc"), 2, "No space left on device: 'a.mrc'"),
        (ZeroDivisionError("division by zero"), 1, "internal error: ZeroDivisionError: division"),
        (KeyError("x"), 1, "internal error: KeyError: 'x' (DIFFTEM_DEBUG=1 shows where; please re"),
        (RuntimeError("shapes differ"), 1, "internal error: RuntimeError: shapes differ"),
        (RuntimeError("CUDA error: out of memory"), 2, "out of memory; use a smaller field"),
        (MemoryError(), 2, "out of memory; use a smaller field"),
        (RecursionError("maximum depth"), 2, "nested too deeply, or refers to itself"),
        (KeyboardInterrupt(), 130, "interrupted, nothing was written"),
        (ValueError(), 2, "ValueError"),
    ],
)
def test_every_exception_is_one_line(capsys, error, code, line):
    assert guard.guarded(raising(error)) == code
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("difftem: error: ")
    assert line in said


def test_what_a_command_returns_is_returned(capsys):
    assert guard.guarded(lambda: 7) == 7
    assert capsys.readouterr().err == ""


def test_debugging_lets_errors_pass(monkeypatch):
    with pytest.raises(ZeroDivisionError):
        guard.guarded(raising(ZeroDivisionError()), debug=True)
    monkeypatch.setenv("DIFFTEM_DEBUG", "1")
    with pytest.raises(ValueError, match=r"nowhere\.yaml"):
        main(["simulate", "nowhere.yaml", "--output", "x"])


def test_a_long_message_keeps_its_beginning_and_its_end(capsys):
    guard.fail("file.yaml: " + "x" * 5000 + " must be positive")
    said = capsys.readouterr().err.strip()
    assert said.startswith("difftem: error: file.yaml: xxx") and said.endswith("must be positive")
    assert len(said) <= 600


def test_characters_that_steer_a_terminal_are_spelled_out(capsys):
    guard.fail("\x1b[31mred\x07.mrc: no such file")
    assert capsys.readouterr().err == "difftem: error: \\x1b[31mred\\x07.mrc: no such file\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_ends_early_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "difftem", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_broken_pipe_between_processes_is_said(capsys):
    assert guard.guarded(raising(BrokenPipeError(32, "Broken pipe"))) == 2
    assert "Broken pipe" in capsys.readouterr().err
