import ast
import re
from pathlib import Path

import pytest

import difftem
from difftem.workflows.explain import pages
from difftem.workflows.explain.pages import as_plain, explain, page_path, section
from difftem.workflows.explain.topics import TOPICS, topic_list

PACKAGE = Path(difftem.__file__).parent
TEXT = """# Page

Words of the page.

## First: `file.py`

Of the first.

```
# a comment, and no heading
```

### Below

Of what is below.

## Second

Of the second.
"""


@pytest.mark.parametrize("name", TOPICS)
def test_each_topic_is_a_section_of_a_page_with_a_text_of_its_own(name):
    page, heading, what = TOPICS[name]
    text = page_path(page).read_text("utf-8")
    assert len(section(text, heading) if heading else text) > 200
    assert len(what) < 80 and not what.endswith(".")
    assert [line.split()[:1] for line in topic_list().splitlines()].count([name]) == 1


def test_a_section_ends_where_the_next_of_its_level_begins():
    found = section(TEXT, "First")
    assert found.startswith("## First") and found.endswith("Of what is below.\n")
    assert "no heading" in found
    assert section(TEXT, "Below") == "### Below\n\nOf what is below.\n"
    with pytest.raises(LookupError, match="no heading 'Third'"):
        section(TEXT, "Third")


def test_plain_text_has_no_pictures_comments_and_targets():
    text = "(here)=\n## A [link](b.md#c)\n\n![a picture](p.png)\n\n<!-- mark -->\nEnd"
    assert as_plain(text) == "## A link\n\nEnd"


def test_blanks_are_as_good_as_hyphens_and_the_source_is_named():
    assert explain("Tilt axis") == explain("tilt_axis") == explain("tilt-axis")
    assert explain("units").endswith("(conventions.md; difftem docs units --page prints all of it)")
    assert len(explain("units", whole_page=True)) > 3 * len(explain("units"))


@pytest.mark.parametrize(("word", "meant"), [("detecter", "detector"), ("defocus", "signs")])
def test_an_unknown_topic_is_answered_with_a_near_one(word, meant):
    with pytest.raises(ValueError, match=rf"no topic '{word}'; did you mean {meant}"):
        explain(word)


def test_pages_are_found_in_any_folder_but_those_that_a_build_writes(tmp_path, monkeypatch):
    for place in ("_build/a.md", "experiments/a.md", "guides/a.md"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_text("# A")
    monkeypatch.setattr(pages, "FOLDERS", (tmp_path / "absent", tmp_path))
    assert page_path("a.md") == tmp_path / "guides" / "a.md"
    with pytest.raises(FileNotFoundError, match=r"b\.md: this installation has no such page"):
        page_path("b.md")


def test_messages_that_name_a_topic_name_one_that_is_there():
    named = [
        topic
        for path in PACKAGE.rglob("*.py")
        if "difftem docs" in (source := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for topic in re.findall(r"see difftem docs ([a-z-]+)", node.value)
    ]
    assert {*named} <= {*TOPICS}
    assert len(named) > 25 and len({*named}) > 12
