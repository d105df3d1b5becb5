"""What a release holds: built from this checkout, without installing it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import difftem
from difftem.workflows.explain.topics import TOPICS

ROOT = Path(__file__).parents[1]
LARGEST = 15e6  # bytes
pytestmark = pytest.mark.skipif(
    not (ROOT / "difftem").is_dir(), reason="the package is installed: its source is not beside"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Files of the package as a wheel has them: path in it, and size."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder)]
    command += ["build_py", "--build-lib", str(folder / "lib")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lib = folder / "lib"
    return {
        path.relative_to(lib).as_posix(): path.stat().st_size
        for path in lib.rglob("*")
        if path.is_file()
    }


def test_all_files_of_the_package_are_in_it_and_small_enough(built):
    files = {
        path.relative_to(ROOT).as_posix()
        for package in ("difftem", "kernels_triton")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= built.keys()
    assert {"difftem/py.typed", "difftem/networks/shipped/cryo.safetensors"} <= files
    assert sum(built.values()) < LARGEST


def test_the_pages_are_those_that_are_kept_and_none_that_the_site_builds(built):
    pages = {name.removeprefix("difftem/pages/") for name in built if "/pages/" in name}
    try:
        done = subprocess.run(
            ["git", "ls-files", "docs/*.md"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git, or no repository")
    assert pages == {name.removeprefix("docs/") for name in done.stdout.split()}


def test_pages_of_every_topic_are_in_it_and_nothing_else_of_the_checkout(built):
    pages = [name for name in built if name.startswith("difftem/pages/")]
    assert {topic.page for topic in TOPICS.values()} <= {Path(name).name for name in pages}
    assert all(name.endswith(".md") for name in pages)
    assert {name.partition("/")[0] for name in built} == {"difftem", "kernels_triton"}


def test_citation_and_changelog_have_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == difftem.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", difftem.__version__)
    released = re.findall(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert released[0] == "Unreleased" and (not released[1:] or released[1] == difftem.__version__)


def test_a_tag_of_this_commit_is_its_version():
    command = ["git", "tag", "--points-at", "HEAD", "--list", "v*"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git, or no repository")
    if not done.stdout.split():
        pytest.skip("this commit is no release: it has no tag")
    assert done.stdout.split() == [f"v{difftem.__version__}"]


def test_the_oldest_python_is_that_which_all_tools_are_told():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    oldest = project["project"]["requires-python"].removeprefix(">=")
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert f"Programming Language :: Python :: {oldest}" in project["project"]["classifiers"]
