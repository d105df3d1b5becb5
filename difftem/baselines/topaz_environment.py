"""Where Topaz lies, a program of its own; ``python -m difftem.baselines.topaz_environment``.

The command makes an environment for it, or says that there is one.
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

import torch

VARIABLE = "DIFFTEM_TOPAZ"
VERSION = "0.2.5"  # from 0.3.0 to 0.3.20 it loads its unet, whatever model is asked for
COMMAND = "python -m difftem.baselines.topaz_environment"
_NEEDS = ("future", "pandas", "scikit-learn", "setuptools<81")


def topaz_folder() -> Path:
    """Folder of the environment: that which DIFFTEM_TOPAZ names, or ~/.cache/difftem/topaz."""
    return Path(os.environ.get(VARIABLE) or "~/.cache/difftem/topaz").expanduser()


def find_topaz() -> Path:
    """Find Topaz's executable.

    Returns
    -------
    Path
        Of `topaz_folder`, or what DIFFTEM_TOPAZ names itself.

    Raises
    ------
    ValueError
        If it is not there: one line with the command that installs it.
    """
    folder = topaz_folder()
    for path in (folder, folder / "bin" / "topaz"):
        if path.is_file() and os.access(path, os.X_OK):
            return path.absolute()
    raise ValueError(
        f"this method needs Topaz, which is not in {folder}: {COMMAND} installs it there (GPL, a "
        f"program of its own), or ${VARIABLE} names where it is"
    )


def make_environment(folder: Path) -> None:
    """Make an environment with Topaz, which takes torch and numpy from the present one.

    Parameters
    ----------
    folder : Path
        Of the environment; some 140 MB.

    Raises
    ------
    ValueError
        If packages cannot be installed.
    """
    venv.create(folder, with_pip=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "of_difftem.pth").write_text(f"{Path(torch.__file__).parents[1]}\n", "utf-8")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    # Without its dependencies: it names torchvision, which it needs for nothing that is used here.
    for words in ([*_NEEDS], ["--no-deps", f"topaz-em=={VERSION}"]):
        done = subprocess.run([*pip, *words], check=False)
        if done.returncode:
            raise ValueError(f"{' '.join([*pip, *words])} failed: {folder} is not complete")


def main() -> int:
    """Make the environment unless it is there."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description=f"Install Topaz {VERSION} into {topaz_folder()} (${VARIABLE} names another "
        "folder), beside this environment, whose torch it uses.",
    )
    parser.parse_args()
    try:
        print(f"Topaz is there: {find_topaz()}")
    except ValueError:
        try:
            make_environment(topaz_folder())
            print(f"installed {find_topaz()}")
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
