"""The list of `difftem.functional` in the order of the beam, from its own docstring."""

import re

from sphinx.application import Sphinx
from sphinx.config import Config
from written import write_page

import difftem.functional

WORDS = """Pure functions of every stage, `difftem.functional`: plain PyTorch, the reference for the
kernels, with a gradient by autograd."""
ROW = re.compile(r"^    `(\w+)` : ", re.MULTILINE)


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the page; a module that is listed twice keeps its first place."""
    lines = ["Functions by the beam path", "==========================", "", WORDS, ""]
    seen: set[str] = set()
    parts = (difftem.functional.__doc__ or "").split("\n\n")
    for part in parts:
        title, _, rows = part.partition("\n")
        names = [name for name in ROW.findall(rows) if name not in seen]
        if not names:
            continue
        seen.update(names)
        lines += [title, "-" * len(title), "", ".. autosummary::", "   :toctree: api", ""]
        lines += [f"   ~difftem.functional.{name}" for name in names] + [""]
    write_page("reference/functional.rst", "\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    """Write before the pages are looked for."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
