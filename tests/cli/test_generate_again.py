"""One run after, or beside, another: locks, progress, and a table that is read again."""

import sys

from filelock import FileLock

from difftem.io.claimed import LOCK
from difftem.scene.files.coordinates import read_coordinates


def test_a_micrograph_of_a_set_is_taken_again_from_the_table_of_the_set(generate, pdb, tmp_path):
    _, _, folder = generate("--micrographs", 2)
    table = folder / "particles.star"
    particle = f"name: blob, source: {pdb}, coordinates: {table}"
    code, captured, _ = generate(particles=f"[{{{particle}}}]", output=tmp_path / "none")
    assert code == 2
    assert "choose one with 'image': 000000/micrograph_000000.mrc (3 particles), 00" in captured.err
    chosen = f"[{{{particle}, image: 000001/micrograph_000001.mrc}}]"
    padded = ("--sampling.padding", 40)  # as the delocalisation wants: nothing to warn of
    code, captured, again = generate(*padded, particles=chosen, output=tmp_path / "again")
    assert code == 0
    assert "warning" not in captured.err
    (first,), (second,) = (
        read_coordinates(each / "particles.csv") for each in (folder / "000001", again / "000000")
    )
    assert abs(first.positions - second.positions).max() < 1e-4
    assert abs(first.rotations - second.rotations).max() < 1e-6


def test_two_runs_do_not_write_into_one_folder(generate, tmp_path):
    _, _, folder = generate()
    begun = folder / ".000001.4242.tmp"
    begun.mkdir()
    with FileLock(folder / LOCK):
        code, captured, _ = generate("--micrographs", 2)
        assert code == 2
        assert "another run is writing there" in captured.err
        assert begun.exists() and (folder / LOCK).exists()
    assert generate("--micrographs", 2)[0] == 0
    assert not list(folder.glob(".*"))


def test_a_run_that_was_killed_before_its_first_item_leaves_a_folder_to_begin_in(
    generate, tmp_path
):
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / LOCK).touch()
    assert generate(output=folder)[0] == 0
    assert not (folder / LOCK).exists()


def test_a_bar_counts_the_micrographs_on_a_terminal(generate, monkeypatch, tmp_path):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code, captured, _ = generate("--micrographs", 3, "--threads", 1)
    assert code == 0
    assert "micrographs: 100%" in captured.err and "3/3" in captured.err
    assert "Predicting" not in captured.err
    monkeypatch.undo()
    code, captured, _ = generate("--micrographs", 3, "--overwrite")
    assert "micrographs" not in captured.err
