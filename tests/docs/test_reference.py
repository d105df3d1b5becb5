import re
from pathlib import Path

import pytest

from tests.docs.test_examples import exports

DOCS = Path(__file__).parents[2] / "docs"
LISTED = {
    name
    for page in (DOCS / "reference").glob("*.rst")
    for name in re.findall(r"^   ~(\S+)$", page.read_text("utf-8"), flags=re.MULTILINE)
}
# Written by the build of the site.
WRITTEN = {"api", "cli", "keys", "experiments", "gallery", "_build", "_static"}
PAGES = [
    page for page in sorted(DOCS.rglob("*.md")) if not {*page.relative_to(DOCS).parts} & WRITTEN
]


@pytest.mark.parametrize("path", [*exports()])
def test_every_exported_name_has_a_page_in_the_reference(path):
    again = path.replace("difftem.", "difftem.modules.") if path == "difftem.Simulator" else path
    assert again in LISTED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page):
    links = re.findall(r"(?<!`)\]\(([^)#\s:]+)(?:#[^)\s]*)?\)", page.read_text("utf-8"))
    for link in links:
        target = page.parent / link
        assert target.exists() or {"cli", "keys"} & {*Path(link).parts}, link
