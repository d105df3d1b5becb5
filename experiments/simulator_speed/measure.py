"""Repeated, interleaved timing and its summary."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

# Worker threads of one program spin for a while after their work: let them fall asleep before
# the other's CPU time is taken.
PAUSE_S = 0.05


class Sample(NamedTuple):
    """One call, in s."""

    wall: float
    cpu: float


def time_call(call: Callable[[], Any]) -> Sample:
    """Wall time and CPU time (all threads of this process) of one call."""
    time.sleep(PAUSE_S)
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Sample(time.perf_counter() - wall, time.process_time() - cpu)


def interleave(
    calls: Mapping[str, Callable[[], Any]],
    repeats: int,
    warm_up: int,
    tick: Callable[[], Any] = lambda: None,
) -> dict[str, list[Sample]]:
    """Time calls in turn (a, b, a, b, ...), so that a drift of the machine hits all of them.

    Parameters
    ----------
    calls : mapping
        By name.
    repeats : int
        Timed rounds.
    warm_up : int
        Rounds before, not counted.
    tick : callable
        Called after every call.

    Returns
    -------
    dict
        Samples by name.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in calls}
    for round_ in range(warm_up + repeats):
        for name, call in calls.items():
            sample = time_call(call)
            if round_ >= warm_up:
                samples[name].append(sample)
            tick()
    return samples


def summarise(samples: list[Sample]) -> dict[str, Any]:
    """Median, quartiles and all samples of wall and CPU time."""
    return {
        "wall_s": _spread([sample.wall for sample in samples]),
        "cpu_s": _spread([sample.cpu for sample in samples]),
    }


def _spread(values: list[float]) -> dict[str, Any]:
    if len(values) > 1:
        first, median, third = statistics.quantiles(values, n=4, method="inclusive")
    else:
        first = median = third = values[0]
    return {
        "median": round(median, 6),
        "iqr": round(third - first, 6),
        "samples": [round(value, 6) for value in values],
    }


def ratio(numerator: dict[str, Any], denominator: dict[str, Any]) -> dict[str, float]:
    """Ratios of medians, wall and CPU."""
    return {
        measure.removesuffix("_s"): round(
            numerator[measure]["median"] / denominator[measure]["median"], 4
        )
        for measure in ("wall_s", "cpu_s")
    }
