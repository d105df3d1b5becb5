import doctest
import importlib
import inspect
import tempfile
from pathlib import Path

import pytest

import difftem

PACKAGE = Path(difftem.__file__).parent
EXPORTS = [name for name in difftem.__all__ if name != "__version__"]


def modules_with_examples():
    """Find the modules whose source has a prompt."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Run in a folder of the test's own, which also takes temporary files and templates."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("DIFFTEM_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", EXPORTS)
def test_every_exported_name_has_an_example(name):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(difftem, name)))
    assert any(each.want for each in examples)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", [*modules_with_examples()])
def test_the_examples_of_a_module_are_true(name):
    found = doctest.testmod(importlib.import_module(name), verbose=False)
    assert found.attempted > 0
    assert found.failed == 0
