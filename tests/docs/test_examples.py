import doctest
import importlib
import inspect
import pkgutil
import re
import tempfile
from pathlib import Path

import pytest

import difftem
import difftem.functional

PACKAGE = Path(difftem.__file__).parent
PACKAGES = (
    "difftem",
    "difftem.modules",
    "difftem.networks",
    "difftem.tasks.mtf_fit",
    "difftem.tasks.denoise",
    "difftem.tasks.wave_fit",
    "difftem.callbacks",
    "difftem.constants",
)
REFERENCE = PACKAGE.parent / "docs" / "reference"


def exports():
    """Name every class and function that a package of the site exports."""
    for package in map(importlib.import_module, PACKAGES):
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{package.__name__}.{name}"


def listed_modules():
    """Name every module whose functions a page of the reference shows."""
    for each in pkgutil.iter_modules(difftem.functional.__path__, "difftem.functional."):
        yield each.name
    for page in ("python.rst", "more.rst"):
        text = (REFERENCE / page).read_text(encoding="utf-8") if REFERENCE.is_dir() else ""
        for name in re.findall(r"~(difftem[\w.]+)", text):
            if inspect.ismodule(pkgutil.resolve_name(name)):
                yield name


def contents(name):
    """Name every class and function that the page of a module shows."""
    module = importlib.import_module(name)
    shown = getattr(module, "__all__", None)
    for key, value in vars(module).items():
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if key in shown if shown else value.__module__ == name and not key.startswith("_"):
            yield f"{name}.{key}"


def exported(path):
    """Look a name up as a reader would."""
    package, _, name = path.rpartition(".")
    return getattr(importlib.import_module(package), name)


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


@pytest.mark.parametrize("path", [*exports()])
def test_every_exported_name_has_an_example(path):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(exported(path)) or "")
    assert any(each.want for each in examples)


@pytest.mark.parametrize("path", [path for name in listed_modules() for path in contents(name)])
def test_every_function_of_a_listed_module_has_an_example(path):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(exported(path)) or "")
    assert any(each.want for each in examples)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", [*modules_with_examples()])
def test_the_examples_of_a_module_are_true(name):
    found = doctest.testmod(importlib.import_module(name), verbose=False)
    assert found.attempted > 0
    assert found.failed == 0
