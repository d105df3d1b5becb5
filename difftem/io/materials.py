"""Structures of materials (XYZ, CIF, POSCAR, ...) through ASE, an optional extra."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from difftem.atoms import MAX_ATOMIC_NUMBER, Atoms
from difftem.io.errors import InputError, input_error
from difftem.io.files import read_bytes


def read_material(path: str | Path, default_b_factor: float, dtype: torch.dtype) -> Atoms:
    """Read whatever ASE reads; every atom gets `default_b_factor` (Å²) and occupancy 1."""
    read_bytes(path)  # a missing or truncated file is told the same way for every format
    try:
        import ase.io
    except ImportError:
        raise InputError(
            f"{path}: this format is read by ASE, install it with: pip install difftem[materials]"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about symmetry and units of cells, not of atoms
            frame: Any = ase.io.read(path, index=0)  # Atoms, as the index is no slice
    except Exception as error:  # each of ASE's readers fails in its own way
        reason = str(error) or type(error).__name__
        raise input_error(path, f"not readable by ASE ({reason})") from error
    numbers, positions = frame.get_atomic_numbers(), frame.get_positions()
    if len(numbers) == 0:
        raise input_error(path, "no atoms")
    for bad, values, rule in (
        ((numbers < 1) | (numbers > MAX_ATOMIC_NUMBER), frame.symbols, "unknown element"),
        (~np.isfinite(positions).all(-1), positions.tolist(), "coordinate is not a number"),
    ):
        if bad.any():
            row = int(bad.argmax())
            raise input_error(path, f"atom {row + 1}: {rule}, got {values[row]}")
    n_atoms = len(numbers)
    return Atoms(
        torch.as_tensor(positions, dtype=dtype),
        torch.as_tensor(numbers, dtype=torch.int64),
        torch.full((n_atoms,), default_b_factor, dtype=dtype),
        torch.ones(n_atoms, dtype=dtype),
    )
