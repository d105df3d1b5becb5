import runpy
import tempfile
import warnings
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.py"))
MAX_LINES = 65


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Empty folder to run in; temporary files go beside it, all else nowhere."""
    folder, temporary = tmp_path / "empty", tmp_path / "temporary"
    for each in (folder, temporary, tmp_path / "home"):
        each.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DIFFTEM_CACHE", raising=False)
    return folder


def test_there_are_six_tutorials():
    assert len(TUTORIALS) == 6


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_is_short_and_in_cells(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < MAX_LINES
    assert lines[0] == "# %% [markdown]"
    # A title that Markdown and reStructuredText both know.
    assert lines[1].startswith('"""')
    assert set(lines[2]) == {"="}
    assert len(lines[2]) == len(lines[1]) - 3
    assert lines.count("# %%") >= 2


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_from_any_folder(path, elsewhere, capsys, monkeypatch):
    from matplotlib import pyplot

    shown = []
    monkeypatch.setattr("difftem.simulation.preview.show_figure", shown.append)
    with warnings.catch_warnings():
        # What pyplot.show says instead of waiting for a window to be closed.
        warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive", UserWarning)
        runpy.run_path(str(path), run_name="__main__")
    assert any(each.isdigit() for each in capsys.readouterr().out), "no number is printed"
    assert shown or pyplot.get_fignums(), "no picture is shown"
    assert not list(elsewhere.iterdir())
    assert not list((elsewhere.parent / "home").iterdir())
