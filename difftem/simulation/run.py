"""Take the micrographs of a simulator, one tilt after the other."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.modules import Lens, Simulator
from difftem.modules.simulator import Progress
from difftem.simulation.damage import Fade


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

    def each(self, slices: Iterable[Tensor], name: str) -> Iterator[Tensor]:
        """Pass slices on, timing how long each takes to be made, or on a GPU to be asked for."""
        iterator = iter(slices)
        while True:
            start = time.perf_counter()
            slice_ = next(iterator, None)
            self.seconds[name] += time.perf_counter() - start
            if slice_ is None:
                return
            yield slice_

    def take_out(self, part: str, whole: str, rest: str) -> None:
        """Replace the time of a whole by that of the rest, without a part timed inside."""
        self.seconds[rest] += self.seconds.pop(whole, 0.0) - self.seconds[part]


@contextmanager
def slices_bar() -> Iterator[Progress]:
    """Yield a progress bar of slices, which appears when the work takes more than a second."""
    with tqdm(total=0, desc="slices", unit="slice", delay=1.0, disable=None) as bar:

        def watched(slices: Iterable[Tensor], number: int) -> Iterator[Tensor]:
            bar.total += number
            for slice_ in slices:
                yield slice_
                bar.update()

        yield watched


@dataclass(frozen=True)
class Series:
    """What a simulation leaves; images are in the order of tilts, defoci, exposures."""

    noise_free: Tensor  # (n_tilts * n_defoci, y, x) grey values
    micrographs: Tensor  # (n_tilts * n_defoci * n_exposures, y, x) grey values
    mean_counts: float  # e/pixel
    n_slices: int  # of the tilt with most
    exit_waves: Tensor | None = None  # (n_tilts, ny, nx) complex, of the whole field
    wave_heights: tuple[float, ...] = ()  # Å, of the waves' planes above the middle


def take_series(
    simulator: Simulator,
    generator: torch.Generator,
    exposures: int = 1,
    progress: Progress | None = None,
    stopwatch: Stopwatch | None = None,
    max_slices: int | None = None,
    lenses: Sequence[Lens] = (),
    keep_waves: bool = False,
    fade: Fade | None = None,
) -> Series:
    """Take every tilt's micrographs, one slice of potential in memory at a time.

    Parameters
    ----------
    simulator : Simulator
        On any device; its detector on the CPU, whose random numbers make the noise.
    generator : torch.Generator
        Source of all randomness.
    exposures : int
        Noisy micrographs of each tilt.
    progress : callable, optional
        As of `Simulator.exit_wave`.
    stopwatch : Stopwatch, optional
        Collects the stages' times.
    max_slices : int, optional
        Most slices that a tilt may have.
    lenses : sequence of Lens
        That image each exit wave, one after the other. Default: the simulator's own.
    keep_waves : bool
        Keep the exit waves.
    fade : callable, optional
        Changes the intensity for radiation damage, given its pixel size and the image's number.

    Returns
    -------
    Series
        All images.

    Raises
    ------
    ValueError
        If a tilt has too many slices.
    """
    watch = stopwatch or Stopwatch()
    noise_free: list[Tensor] = []
    micrographs, mean_counts, most = [], [], 0
    waves, heights = [], []
    lenses = [each.to(simulator.stage.tilt_deg.device) for each in lenses or [simulator.lens]]
    # A GPU takes slice and wave together: to time each would make it wait.
    on_gpu = simulator.stage.tilt_deg.is_cuda

    def watched(slices: Iterable[Tensor], number: int) -> Iterable[Tensor]:
        nonlocal most
        most = max(most, number)
        if max_slices is not None and number > max_slices:
            raise ValueError(
                f"the particles' heights span {number} slices, at most {max_slices} are allowed; "
                "are the coordinates in Å?"
            )
        slices = slices if progress is None else progress(slices, number)
        return slices if on_gpu else watch.each(slices, "potential")

    with torch.no_grad():
        for tilt in range(len(simulator.stage)):
            with watch.stage("potential and multislice"):
                exit_wave = simulator.exit_wave(tilt, watched)
            if keep_waves:
                waves.append(exit_wave.wave.cpu())
                heights.append(float(exit_wave.height))
            for number, lens in enumerate(lenses, start=1):
                simulator.lens = lens
                with watch.stage("lens"):
                    intensity = simulator.image(exit_wave, tilt)[1]
                    if fade is not None:
                        intensity = fade(intensity, simulator.dose.pixel_size, len(noise_free))
                    if number == len(lenses):
                        del exit_wave  # before the next one is made
                    expected = simulator.expected_counts(intensity, tilt).cpu()
                with watch.stage("detector"):
                    noise_free.append(simulator.detector.expected(expected))
                    for _ in range(exposures):
                        micrographs.append(simulator.read_out(expected, generator)[1])
                mean_counts.append(float(expected.double().mean()))
    if not on_gpu:
        watch.take_out("potential", "potential and multislice", "multislice")
    return Series(
        torch.stack(noise_free),
        torch.stack(micrographs),
        sum(mean_counts) / len(mean_counts),
        most,
        torch.stack(waves) if waves else None,
        tuple(heights),
    )
