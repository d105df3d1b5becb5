"""abTEM's stages on the same input: eager, CPU, float32, x first."""

import math
import os
from typing import Any, NamedTuple

import numpy as np

from experiments.simulator_speed.cases import Case
from experiments.simulator_speed.inputs import Array, Inputs


class Settings(NamedTuple):
    """What abTEM leaves to its user and what its speed depends on."""

    fft_threads: int = 1
    build_first: bool = True  # build the potential, or let multislice ask for it slice by slice


def candidates(stage: str) -> list[Settings]:
    """List the settings to try for a stage; abTEM's own default is one thread of FFTW."""
    threads = sorted({1, os.cpu_count() or 1})
    orders = (True, False) if stage == "chain" else (True,)
    return [Settings(n, build_first) for n in threads for build_first in orders]


class AbtemStages:
    """Stages of abTEM on one case.

    Parameters
    ----------
    case : Case
        What to simulate; B-factors and occupancies are left out, abTEM has none.
    inputs : Inputs
        What to start from.
    settings : Settings
        Of abTEM.
    """

    name = "abtem"
    stages = ("potential", "multislice", "lens", "chain")

    def __init__(self, case: Case, inputs: Inputs, settings: Settings | None = None) -> None:
        import abtem
        import ase

        self.case = case
        self.inputs = inputs
        self.settings = settings or Settings()
        self._abtem = abtem
        # abTEM's origin is the corner, ours is pixel n // 2 and the middle of the slab.
        middle = case.n_pixels // 2 * case.pixel_size
        self._atoms = ase.Atoms(
            inputs.atomic_numbers,
            positions=inputs.positions + np.array([middle, middle, case.thickness / 2]),
            cell=[case.width, case.width, case.thickness],
            pbc=True,
        )
        if inputs.slices is not None:
            self._slices = abtem.PotentialArray(
                np.ascontiguousarray(inputs.slices.swapaxes(-1, -2)),
                slice_thickness=case.slice_thickness,
                sampling=case.pixel_size,
            )
        if inputs.wave is not None:
            self._wave = abtem.Waves(
                np.ascontiguousarray(inputs.wave.T), energy=self._energy, sampling=case.pixel_size
            )

    def potential(self) -> Array:  # (n_slices, ny, nx) V Å
        """From atoms to stacked slices."""
        with self._configured():
            return np.swapaxes(self._potential().build(lazy=False).array, -1, -2)

    def multislice(self) -> Array:  # (ny, nx) complex
        """From stacked slices to the exit wave."""
        with self._configured():
            return self._exit_wave(self._slices).array.T

    def lens(self) -> Array:  # (ny, nx)
        """From the exit wave to the intensity."""
        with self._configured():
            return self._intensity(self._wave)

    def chain(self) -> Array:  # (ny, nx)
        """From atoms to the intensity."""
        with self._configured():
            potential = self._potential()
            if self.settings.build_first:
                potential = potential.build(lazy=False)
            return self._intensity(self._exit_wave(potential))

    @property
    def _energy(self) -> float:  # eV
        return self.case.voltage_kv * 1e3

    def _configured(self) -> Any:
        return self._abtem.config.set(
            {
                "device": "cpu",
                "precision": "float32",
                "diagnostics.progress_bar": False,
                "fftw.threads": self.settings.fft_threads,
            }
        )

    def _potential(self) -> Any:
        return self._abtem.Potential(
            self._atoms,
            gpts=self.case.n_pixels,
            slice_thickness=self.case.slice_thickness,
            parametrization=self.case.table,
            projection="infinite",
        )

    def _exit_wave(self, potential: Any) -> Any:
        return self._abtem.PlaneWave(energy=self._energy).multislice(potential, lazy=False)

    def _intensity(self, wave: Any) -> Array:
        # Its focal spread is sqrt(2) standard deviations: exp(-(pi lambda delta q^2)^2 / 4).
        transfer = self._abtem.CTF(
            energy=self._energy,
            defocus=self.case.defocus_um * 1e4,
            Cs=self.case.cs_mm * 1e7,
            focal_spread=math.sqrt(2) * self.inputs.focal_spread,
        )
        return wave.apply_ctf(transfer).intensity().array.T
