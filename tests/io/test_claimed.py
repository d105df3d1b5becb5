"""A folder belongs to one run at a time, and what killed runs left in it goes away."""

import os
import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from difftem.io.claimed import LOCK, claimed, is_temporary, temporary_path
from difftem.io.errors import InputError
from difftem.io.files import replacing
from difftem.io.staged_folder import reserved_folder, staged_folder


@pytest.fixture
def dead():
    """Number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def left_by(number, path):
    return temporary_path(path).with_name(
        temporary_path(path).name.replace(f".{os.getpid()}.tmp", f".{number}.tmp")
    )


def test_two_runs_or_threads_do_not_hold_a_folder_together(tmp_path):
    refused = []

    def second():
        try:
            with claimed(tmp_path):
                pass
        except InputError as error:
            refused.append(str(error))

    with claimed(tmp_path), claimed(tmp_path):  # one run may say so twice
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert (tmp_path / LOCK).exists()
    assert refused == [f"{tmp_path}: another run is writing there"]
    with FileLock(tmp_path / LOCK), pytest.raises(InputError), claimed(tmp_path):
        pass
    with claimed(tmp_path):
        pass
    assert not list(tmp_path.iterdir()) or os.name == "nt"


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_makes_stays(tmp_path, dead):
    folder, file = left_by(dead, tmp_path / "staging"), left_by(dead, tmp_path / "a.mrc")
    folder.mkdir()
    (folder / "half.mrc").touch()
    kept = [left_by(os.getppid(), tmp_path / "b.mrc"), tmp_path / f".c.other-host.{dead}.tmp"]
    kept += [tmp_path / ".profile", tmp_path / "d.tmp"]
    for each in (file, *kept):
        each.touch()
    with claimed(tmp_path):
        assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / LOCK])
    assert is_temporary(folder.name) and not is_temporary(".profile")


def test_a_file_that_is_replaced_removes_the_half_of_a_killed_run(tmp_path, dead):
    left_by(dead, tmp_path / "a.mrc").write_text("half")
    left_by(dead, tmp_path / "b.mrc").write_text("half")
    with replacing(tmp_path / "a.mrc", overwrite=False) as temporary:
        temporary.write_text("whole")
    assert {each.name for each in tmp_path.iterdir()} == {
        "a.mrc",
        left_by(dead, tmp_path / "b.mrc").name,
    }


def test_a_folder_in_which_a_run_was_killed_is_one_to_begin_in(tmp_path, dead):
    folder = tmp_path / "out"
    left_by(dead, folder / "staging").mkdir(parents=True)
    (folder / LOCK).touch()
    with staged_folder(folder, False, ("a", "run.json")) as staged:
        (staged / "a").touch()
        (staged / "run.json").touch()
    assert {each.name for each in folder.iterdir()} == {"a", "run.json"}


def test_a_run_that_fails_leaves_no_folder_and_the_files_of_an_earlier_one(tmp_path):
    with pytest.raises(KeyboardInterrupt), reserved_folder(tmp_path / "a" / "b", False):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "run.json").write_text("earlier")
    with pytest.raises(InputError, match="No space"), staged_folder(tmp_path, True, ("run.json",)):
        raise OSError(28, "No space left on device")
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]
