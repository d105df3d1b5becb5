"""Read a page of the documentation, or a section of it, as plain text."""

import difflib
import re
from pathlib import Path

from difftem.workflows.explain.formulas import formulas_as_text
from difftem.workflows.explain.topics import COMMANDS, TOPICS

PACKAGE = Path(__file__).parents[2]
# An installed package has the pages inside (setup.py puts them there), a checkout beside it.
FOLDERS = (PACKAGE / "pages", PACKAGE.parent / "docs")
# What the build of the site writes there.
BUILT = ("_", "experiments", "gallery", "reference/api", "reference/cli", "reference/keys")
_HEADING = re.compile(r"(#+) +(.*)")
_LEFT_OUT = re.compile(
    r"<!--.*?-->\n?"  # marks of what wrote a table
    r"|^!\[[^\]]*\]\([^)]*\)\n+"  # pictures
    r"|^\([\w-]+\)=\n",  # targets of links
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\([^)\s]+\)")


def explain(topic: str, whole_page: bool = False) -> str:
    """Return what the documentation says of a topic.

    Parameters
    ----------
    topic : str
        One of `TOPICS` or `COMMANDS`; blanks and underscores are as good as hyphens.
    whole_page : bool
        The page that it is from, not its section alone.

    Returns
    -------
    str
        Markdown without pictures, targets of links and LaTeX, and where it is from.

    Raises
    ------
    ValueError
        For an unknown topic, naming those near to it.
    """
    name = re.sub(r"[\s_]+", "-", topic.strip().lower())
    known = COMMANDS | TOPICS
    if name not in known:
        raise ValueError(f"no topic {topic!r}{_nearest(name)}; difftem docs lists all")
    page, heading, _ = known[name]
    path = page_path(page)
    text = path.read_text("utf-8")
    if heading and not whole_page:
        more = f"\n\n({page}; difftem docs {name} --page prints all of it)"
        return as_plain(section(text, heading)) + more
    return f"{as_plain(text)}\n\n({page})"


def page_path(page: str) -> Path:
    """Find the file of a page, in whatever folder of the documentation it is."""
    for folder in FOLDERS:
        found = [
            path
            for path in sorted(folder.rglob(page))
            if not path.relative_to(folder).as_posix().startswith(BUILT)
        ]
        if found:
            return found[0]
    raise FileNotFoundError(f"{page}: this installation has no such page of the documentation")


def section(text: str, heading: str) -> str:
    """Cut a section out of a page: from its heading to the next that is not below it.

    Parameters
    ----------
    text : str
        Markdown of the page.
    heading : str
        Start of the heading's words.

    Raises
    ------
    LookupError
        If the page has no such heading.
    """
    lines, kept, level = text.splitlines(), list[str](), 0
    fenced = False
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else _HEADING.match(line)
        if found and level and len(found[1]) <= level:
            break
        if found and not level and found[2].startswith(heading):
            level = len(found[1])
        if level:
            kept.append(line)
    if not kept:
        raise LookupError(f"no heading {heading!r}")
    return "\n".join(kept)


def as_plain(markdown: str) -> str:
    """Leave out what only a browser can show: pictures, comments, targets of links, LaTeX."""
    text = formulas_as_text(_LINK.sub(r"\1", _LEFT_OUT.sub("", markdown)))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _nearest(name: str) -> str:
    """Suggest topics that are written alike, or whose sentence has the word."""
    found = difflib.get_close_matches(name, TOPICS, n=2, cutoff=0.6)
    words = [word for word in name.split("-") if len(word) > 2]
    for other, topic in TOPICS.items():
        known = f"{other} {topic.what} {topic.heading}".lower()
        if other not in found and any(word in known for word in words):
            found.append(other)
    return f"; did you mean {' or '.join(found[:3])}?" if found else ""
