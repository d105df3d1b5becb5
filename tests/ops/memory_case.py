"""Measure the memory of one gradient in a process of its own.

``python -m tests.ops.memory_case CASE N_SLICES SIZE N_ATOMS`` prints, as JSON, the bytes by which
the process grew at most, those of the inputs' gradients, and what the growth is in waves beside
these gradients and, where the slices are kept, beside them.
"""

import json
import sys
from pathlib import Path

import torch

from difftem.atoms import Atoms
from difftem.modules import Beam, Multislice, Potential

PIXEL, THICKNESS = 0.5, 2.0


def status(key: str) -> int:
    """Read one line of the process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return int(value) * 1024


def carbon(n_atoms: int, width: float, height: float) -> Atoms:
    """Scatter carbon atoms in a box."""
    positions = (torch.rand(n_atoms, 3) - 0.5) * torch.tensor([width, width, height])
    ones = torch.ones(n_atoms)
    return Atoms(positions, torch.full((n_atoms,), 6), 20 * ones, ones)


def main() -> None:
    """Run the case of the command line."""
    case, *numbers = sys.argv[1:]
    n_slices, size, n_atoms = map(int, numbers)
    torch.set_num_threads(1)
    beam = Beam(300.0)
    band_limit = None if case == "unitary" else 2 / 3
    multislice = Multislice(PIXEL, THICKNESS, band_limit=band_limit)

    def intensity(slices, factor):
        wave = multislice(slices, beam)
        (wave.real.square().mul(factor)).sum().backward()

    small = torch.rand(3, 16, 16, requires_grad=True)
    intensity(small, torch.rand(16, 16))  # what is loaded at the first call
    if case in ("stacked", "unitary"):
        leaf = torch.rand(n_slices, size, size, requires_grad=True)
        given = leaf
    else:
        if case == "streamed":
            multislice.kept_bytes = 0
        atoms = carbon(n_atoms, size * PIXEL, n_slices * THICKNESS)
        potential = Potential(
            atoms,
            (size, size),
            PIXEL,
            n_slices,
            THICKNESS,
            interpolate_z=True,
            learnable=["positions"],
        )
        leaf = potential.positions
    factor = torch.rand(size, size)
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark back
    before = status("VmRSS")
    if case not in ("stacked", "unitary"):
        given = potential.source()
    intensity(given, factor)
    grown = status("VmHWM") - before
    assert leaf.grad.isfinite().all() and leaf.grad.abs().max() > 0
    wave = 8 * size**2
    kept = n_slices * wave / 2 if case == "kept" else 0
    waves = (grown - leaf.grad.nbytes - kept) / wave
    print(json.dumps({"grown": grown, "gradient": leaf.grad.nbytes, "waves": round(waves, 1)}))


if __name__ == "__main__":
    main()
