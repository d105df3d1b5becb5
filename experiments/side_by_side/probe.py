"""Run a script and keep what it made: ``python probe.py SCRIPT OUTPUT.npz NAME ...``.

Runs in the interpreter of any of the programs, so it needs numpy alone.
"""

import runpy
import sys

import numpy as np


def main() -> None:
    """Run the script in the current folder and write the named results."""
    script, output, *wanted = sys.argv[1:]
    made = runpy.run_path(script)
    np.savez(output, **{name: plain(made[name]) for name in wanted})


def plain(value: object) -> np.ndarray:
    """Array of a tensor (PyTorch), of images (abTEM) or of an array (JAX)."""
    if hasattr(value, "detach"):
        value = value.detach()
    return np.asarray(getattr(value, "array", value))


if __name__ == "__main__":
    main()
