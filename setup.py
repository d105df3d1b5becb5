"""Put the documentation's pages into the package, where `difftem docs` finds them."""

from pathlib import Path
from shutil import copyfile

from setuptools import setup
from setuptools.command.build_py import build_py

DOCS = Path(__file__).with_name("docs")
# What the build of the site writes, beside all whose name begins with "_".
BUILT = ("changelog", "contributing", "experiments", "gallery", "reference/api", "reference/cli")
BUILT += ("reference/keys", "reference/detectors")


class BuildWithPages(build_py):
    """Copy the package, then the pages; an editable installation reads them where they are."""

    def run(self) -> None:
        """Copy both."""
        super().run()
        if self.editable_mode:
            return
        for page in sorted(DOCS.rglob("*.md")):
            place = page.relative_to(DOCS)
            if not place.as_posix().startswith(("_", *BUILT)):
                copy = Path(self.build_lib, "difftem", "pages", place)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copyfile(page, copy)


setup(cmdclass={"build_py": BuildWithPages})
