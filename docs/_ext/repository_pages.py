"""Pages whose text lives elsewhere in the repository, and links that are true in both places.

READMEs of experiments, CONTRIBUTING and CHANGELOG become pages. Links in Markdown are written as in
the repository, relative to the file; here those to a file that became a page lead to that page.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(\$ )?(difftem|python|pip|export|\. \.venv|\.venv/)", re.MULTILINE)
LINK = re.compile(r"(\]\()([^)#\s:]*)(#[^)\s]*)?(\))")


def outside() -> dict[str, str]:
    """Say which file of the repository becomes which page, both relative to the root."""
    pages = {"CHANGELOG.md": "docs/changelog.md", "CONTRIBUTING.md": "docs/contributing.md"}
    for path in sorted((ROOT / "experiments").rglob("README.md")):
        name = path.parent.relative_to(ROOT / "experiments").as_posix().replace("/", "_")
        name = "index" if name == "." else name
        pages[path.relative_to(ROOT).as_posix()] = f"docs/experiments/{name}.md"
    return pages


def relinked(text: str, origin: str, page: str) -> str:
    """Lead the links of a text to pages, or to the files they name, from where the page is."""
    pages = outside()

    def lead(match: re.Match[str]) -> str:
        before, target, fragment, after = match.groups()
        if not target or target.startswith("/"):
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(origin), target))
        path = pages.get(path) or pages.get(f"{path}/README.md") or path
        if path.startswith("docs/tutorials/"):
            path = path.replace("docs/tutorials", "docs/gallery").removesuffix(".py") + ".rst"
        relative = os.path.relpath(path, os.path.dirname(page))
        return f"{before}{relative}{fragment or ''}{after}"

    return LINK.sub(lead, text)


def languages(text: str) -> str:
    """Name the language of code that has no name for one: commands, or plain text."""

    def name(match: re.Match[str]) -> str:
        told, code = match.groups()
        return f"```{told or ('bash' if COMMAND.search(code) else 'text')}\n{code}```"

    return FENCE.sub(name, text)


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the pages whose text is elsewhere, those that changed."""
    pages = outside()
    for origin, page in pages.items():
        text = (ROOT / origin).read_text("utf-8")
        if origin == "experiments/README.md":
            names = sorted(Path(each).stem for each in pages.values() if "experiments/" in each)
            listed = "\n".join(name for name in names if name != "index")
            text += f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
        text = languages(relinked(text, origin, page))
        path = ROOT / page
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def relink(app: Sphinx, name: str, content: list[str]) -> None:
    """Lead the links of a page that is written by hand."""
    page = f"docs/{name}.md"
    if (ROOT / page).exists() and page not in outside().values():
        content[0] = languages(relinked(content[0], page, page))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both."""
    app.connect("config-inited", write_pages)
    app.connect("source-read", relink)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
