"""What the stages start from, as arrays: both programs and every process get the same."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Beyond the atoms, which arrays a stage needs.
STAGE_NEEDS: dict[str, str] = {"multislice": "slices", "lens": "wave"}


@dataclass
class Inputs:
    """Atoms, and what the later stages start from.

    Attributes
    ----------
    positions, atomic_numbers, b_factors, occupancies : array
        As in `difftem.atoms.Atoms`.
    focal_spread : float
        Standard deviation of the defocus in Å, as `difftem.modules.Lens` has it.
    slices : array or None
        Potential slices in V Å, ``(n_slices, ny, nx)``.
    wave : array or None
        Exit wave, ``(ny, nx)``.
    """

    positions: Array
    atomic_numbers: Array
    b_factors: Array
    occupancies: Array
    focal_spread: float
    slices: Array | None = None
    wave: Array | None = None

    def save(self, folder: Path) -> None:
        """Write one file per array."""
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def load(cls, folder: Path, stage: str) -> "Inputs":
        """Read what one stage needs and nothing more.

        Parameters
        ----------
        folder : Path
            Where `save` wrote.
        stage : str
            Name of the stage.

        Returns
        -------
        Inputs
            With None for what the stage does not need.
        """
        names = [field.name for field in fields(cls)][:5]
        values = {name: np.load(folder / f"{name}.npy") for name in names}
        values["focal_spread"] = float(values["focal_spread"])
        if stage in STAGE_NEEDS:
            name = STAGE_NEEDS[stage]
            values[name] = np.load(folder / f"{name}.npy")
        return cls(**values)
