"""Names of the package in documents and docstrings are names that exist."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "difftem").is_dir(), reason="the package is installed: its source is not beside"
)
NAME = re.compile(r"`{1,2}((?:difftem|kernels_triton|experiments)(?:\.\w+)+)`{1,2}")
FILE = re.compile(r"`((?:difftem|kernels_triton|experiments|tests|docs)/[\w/.-]+\.\w+)`")
HISTORY = {"CHANGELOG.md", "changelog.md"}  # the latter in the built site; they name what was, too


def documents():
    folders = ("difftem", "kernels_triton", "experiments", "docs")
    python = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    words = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.md"))]
    return [*python, *words, *sorted(ROOT.glob("*.md"))]


def exists(name):
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        try:
            for part in parts[length:]:
                found = getattr(found, part)
        except AttributeError:
            return False
        return True
    return False


def test_names_in_backticks_exist():
    found = {
        (name, str(path.relative_to(ROOT)))
        for path in documents()
        if path.name not in HISTORY
        for name in NAME.findall(path.read_text("utf-8"))
    }
    assert len(found) > 40
    wrong = {name for name in {name for name, _ in found} if not exists(name)}
    assert not [(name, path) for name, path in sorted(found) if name in wrong]


def test_files_in_backticks_exist():
    found = {
        (name, str(path.relative_to(ROOT)))
        for path in documents()
        if path.name not in HISTORY
        for name in FILE.findall(path.read_text("utf-8"))
        if "*" not in name and not name.endswith("/x.py")  # any stage
    }
    assert len(found) > 20
    assert not [(name, path) for name, path in sorted(found) if not (ROOT / name).exists()]


def test_functional_lists_its_files_by_beam_path():
    contents = importlib.import_module("difftem.functional").__doc__
    files = {path.stem for path in (ROOT / "difftem" / "functional").glob("*.py")} - {"__init__"}
    assert not [name for name in sorted(files) if not re.search(rf"\b{name}\b", contents)]
