"""Write pages of the build, only those that changed, so that a second build is short."""

from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]


def write_page(path: str, text: str) -> None:
    """Write a page of ``docs``."""
    page = DOCS / path
    page.parent.mkdir(parents=True, exist_ok=True)
    if not page.exists() or page.read_text("utf-8") != text:
        page.write_text(text, "utf-8")
