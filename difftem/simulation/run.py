"""Run a configured simulation and keep its micrographs and timings."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.modules import Simulator


@dataclass
class Stopwatch:
    """Seconds spent in each stage, summed over micrographs."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            self.seconds[name] += time.perf_counter() - start


@dataclass(frozen=True)
class Run:
    """What a simulation leaves."""

    noise_free: Tensor  # (n_tilts, y, x) grey values
    micrographs: Tensor  # (n_tilts * n_exposures, y, x) grey values
    mean_counts: float  # e/pixel


def run_simulation(
    simulator: Simulator,
    tilts_deg: list[float],
    exposures: int,
    generator: torch.Generator,
    stopwatch: Stopwatch,
) -> Run:
    """Take every tilt's micrographs, one slice of potential in memory at a time.

    Parameters
    ----------
    simulator : Simulator
        From `difftem.simulation.microscope.build_simulator`, on any device; its detector on the
        CPU.
    tilts_deg : list of float
        Stage tilts in degrees.
    exposures : int
        Noisy micrographs of each tilt.
    generator : torch.Generator
        Source of all randomness.
    stopwatch : Stopwatch
        Collects the stages' times.

    Returns
    -------
    Run
        All images.
    """
    noise_free, micrographs, mean_counts = [], [], []
    # A GPU takes slice and wave together: to time each would make it wait.
    on_gpu, split = simulator.potential.positions.is_cuda, Stopwatch()
    n_steps = len(tilts_deg) * simulator.potential.n_slices
    # A bar appears only when the work takes longer than a second.
    with torch.no_grad(), tqdm(total=n_steps, desc="slices", unit="slice", delay=1.0) as bar:
        for tilt in tilts_deg:
            simulator.pose.tilt_deg.fill_(tilt)
            with stopwatch.stage("potential and multislice"):
                exit_wave = simulator.exit_wave(lambda slices: _timed(slices, split, bar))
            with stopwatch.stage("lens"):
                _, intensity = simulator.image(exit_wave)
                expected = simulator.expected_counts(intensity).cpu()
            with stopwatch.stage("detector"):
                noise_free.append(simulator.detector.expected(expected))
                for _ in range(exposures):
                    micrographs.append(simulator.read_out(expected, generator)[1])
            mean_counts.append(float(expected.mean()))
    if not on_gpu:
        total = stopwatch.seconds.pop("potential and multislice")
        stopwatch.seconds["multislice"] = total - split.seconds["potential"]
        stopwatch.seconds["potential"] = split.seconds["potential"]
    return Run(
        torch.stack(noise_free), torch.stack(micrographs), sum(mean_counts) / len(mean_counts)
    )


def _timed(slices: Iterator[Tensor], stopwatch: Stopwatch, bar: "tqdm[None]") -> Iterator[Tensor]:
    """Pass slices on, timing how long each takes to be made, or on a GPU to be asked for."""
    while True:
        start = time.perf_counter()
        slice_ = next(slices, None)
        stopwatch.seconds["potential"] += time.perf_counter() - start
        if slice_ is None:
            return
        yield slice_
        bar.update()
