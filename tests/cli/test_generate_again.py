"""What a set shows while it is made, and its table as the coordinates of another set."""

import sys

from difftem.scene.files.coordinates import read_coordinates


def test_a_micrograph_of_a_set_is_taken_again_from_the_table_of_the_set(generate, pdb, tmp_path):
    _, _, folder = generate("--micrographs", 2)
    table = folder / "particles.star"
    particle = f"name: blob, source: {pdb}, coordinates: {table}"
    code, captured, _ = generate(particles=f"[{{{particle}}}]", output=tmp_path / "none")
    assert code == 2
    assert "choose one with 'image': 000000/micrograph.mrc (3 particles), 00" in captured.err
    chosen = f"[{{{particle}, image: 000001/micrograph.mrc}}]"
    code, captured, again = generate(particles=chosen, output=tmp_path / "again")
    assert code == 0
    assert "warning" not in captured.err
    (first,), (second,) = (
        read_coordinates(each / "particles.csv") for each in (folder / "000001", again / "000000")
    )
    assert abs(first.positions - second.positions).max() < 1e-4
    assert abs(first.rotations - second.rotations).max() < 1e-6


def test_a_bar_counts_the_micrographs_on_a_terminal(generate, monkeypatch, tmp_path):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code, captured, _ = generate("--micrographs", 3, "--threads", 1)
    assert code == 0
    assert "micrographs: 100%" in captured.err and "3/3" in captured.err
    assert "Predicting" not in captured.err
    monkeypatch.undo()
    code, captured, _ = generate("--micrographs", 3, "--overwrite")
    assert captured.err == ""
