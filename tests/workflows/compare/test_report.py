"""What a comparison writes: one page, or Markdown with what it names, whole or not at all."""

import base64
import csv
import io
import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from PIL import Image

import difftem
from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc
from difftem.workflows.compare.report import Mode, table_of, texts
from difftem.workflows.compare.result import Comparison


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Comparison:
    """Comparison of two small volumes, one with a name that HTML would take for a tag."""
    folder = tmp_path_factory.mktemp("compared")
    z, y, x = np.indices((16, 20, 24)) - 10.0
    true = np.exp(-(z**2 + y**2 + x**2) / 30)
    noise = np.random.default_rng(0).normal(size=(2, *true.shape))
    for name, array in {"truth": true, "<b>&|": true + 0.1 * noise[0], "b": noise[1]}.items():
        write_mrc(folder / f"{name}.mrc", array, 4.0, is_volume=True)
    files = folder / "<b>&|.mrc", folder / "b.mrc"
    return difftem.compare(*files, truth=folder / "truth.mrc", tilts=(-60, 60))


def test_a_page_has_its_pictures_and_tables_in_it_and_asks_for_nothing(found, tmp_path):
    found.show()  # nothing where there is no window
    (path,) = found.save(tmp_path / "report.html")
    text = path.read_text("utf-8")
    assert not re.search(r'(src|href)="(?!data:)|url\(|@import|<script', text)
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    assert len(pictures) == 1 + 3  # curves, and a panel of each volume
    for data in pictures:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert min(image.size) > 200
    assert "&lt;b&gt;&amp;|.mrc" in text
    assert "<b>" not in text
    tables = re.findall(r'download="(\w+.csv)" href="data:text/csv;base64,([^"]+)"', text)
    assert {name: base64.b64decode(data).decode() for name, data in tables} == {
        f"{name}.csv": table for name, table in found.tables().items()
    }
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize(("output", "prefix"), [("new/folder", ""), ("notes.md", "notes_")])
def test_markdown_names_the_pictures_beside_it(found, output, prefix, tmp_path):
    (tmp_path / "new").mkdir()
    written = found.save(tmp_path / output)
    folder = written[0].parent
    assert sorted(written) == sorted(each for each in folder.iterdir() if each in written)
    text = written[0].read_text("utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures == [f"{prefix}curves.png", f"{prefix}panels.png"]
    assert all((folder / name).is_file() for name in pictures)
    row = next(line for line in text.splitlines() if line.startswith("| correlation"))
    assert f"{found.scores['b.mrc']['correlation']:.4f}" in row
    assert "\\|.mrc" in text.splitlines()[4]  # a bar in a name ends no cell


def test_tables_hold_the_scores_and_the_curves(found):
    rows = list(csv.DictReader(io.StringIO(found.tables()["scores"])))
    assert [row["file"] for row in rows] == ["<b>&|.mrc", "b.mrc"]
    for row in rows:
        for name, value in found.scores[row["file"]].items():
            if np.isfinite(value):
                assert float(row[name]) == value
            else:
                assert row[name] == ""
    curves = list(csv.DictReader(io.StringIO(found.tables()["correlation"])))
    own = [row for row in curves if (row["file"], row["frequencies"]) == ("b.mrc", "sampled")]
    assert [float(row["correlation"]) for row in own] == pytest.approx(
        found.curves[3].correlation.tolist(), rel=1e-5
    )


def test_files_that_exist_are_kept_unless_they_may_be_replaced(found, tmp_path):
    found.save(tmp_path / "notes.md")
    (tmp_path / "notes.md").unlink()
    with pytest.raises(InputError, match=r"notes_panels\.png: exists already"):
        found.save(tmp_path / "notes.md")
    assert not (tmp_path / "notes.md").exists()
    assert len(found.save(tmp_path / "notes.md", overwrite=True)) == 5


def test_what_the_curves_mean_is_said_for_truths_halves_and_others(found):
    said = {mode: " ".join(texts(mode, "volume", "a.mrc")["meaning"]) for mode in get_args(Mode)}
    assert "three times as much noise power as signal" in said["truth"]
    assert "neither of which is the truth" in said["halves"]
    assert "a.mrc, which is not the truth" in said["reference"]
    assert "never above" in found.summary  # noise alone never agrees by a half


def test_a_table_of_many_files_has_a_row_for_each_and_one_of_few_a_column(found):
    few = table_of(found.scores, found.curves, "volume")
    assert few[0] == ["", "<b>&|.mrc", "b.mrc"]
    rows = {str(number): found.scores["b.mrc"] for number in range(5)}
    curves = [replace(curve, name=name) for name in rows for curve in found.curves[2:]]
    headers, cells = table_of(rows, curves, "volume")
    assert [cell[0] for cell in cells] == list("01234")
    assert headers[:3] == ["file", "FSC = 0.5", "FSC = 0.143"]
    turned = {row[0]: row[2] for row in few[1]}
    assert dict(zip(headers[1:], cells[0][1:], strict=True)).items() <= turned.items()
