"""Check one op, time it, and measure the bandwidth it could have."""

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from experiments.kernel_speed.cases import CASES, CHECKED, Size, Work
from experiments.simulator_speed.measure import Sample, summarise

TOLERANCE = 2e-4  # of the largest number, against float64: rounding of float32 in long sums
COPIED_BYTES = {"cpu": 128_000_000, "cuda": 1_000_000_000}
ROTATED_BYTES = 300_000_000  # inputs in turn, so that a cache holds none of them
MAX_COPIES = 8


class CheckError(Exception):
    """An op whose numbers are wrong: it is not timed."""


@contextmanager
def implementation(name: str) -> Iterator[None]:
    """Make the modules use plain PyTorch or the kernels."""
    before = os.environ.get("DIFFTEM_KERNELS")
    os.environ["DIFFTEM_KERNELS"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["DIFFTEM_KERNELS"]
        else:
            os.environ["DIFFTEM_KERNELS"] = before


def check(case: str, name: str, device: torch.device) -> float:
    """Compare output and gradients with plain PyTorch in float64.

    Parameters
    ----------
    case : str
        Name of the op.
    name : {"torch", "triton"}
        Implementation.
    device : torch.device
        Where.

    Returns
    -------
    float
        Largest error relative to the largest number of its tensor.

    Raises
    ------
    CheckError
        If it is too large, or not a number.
    """
    with implementation("torch"):
        truth = everything(CASES[case](CHECKED[case], torch.device("cpu"), torch.float64, 0))
    with implementation(name):
        found = everything(CASES[case](CHECKED[case], device, torch.float32, 0))
    errors = [
        float((ours.cpu() - exact).abs().max() / exact.abs().max())
        for ours, exact in zip(found, truth, strict=True)
    ]
    if not all(error <= TOLERANCE for error in errors):
        shown = ", ".join(f"{error:.1e}" for error in errors)
        raise CheckError(
            f"{name} {case} on {device} is wrong, so it is not timed: output and gradients differ "
            f"from float64 by {shown} of their largest numbers, allowed is {TOLERANCE:.0e}"
        )
    return max(errors)


def time_case(
    case: str, size: Size, name: str, device: torch.device, repeats: int
) -> dict[str, Any]:
    """Time the forward pass, and it with the backward pass.

    Parameters
    ----------
    case, size, name, device
        What, how large, by which implementation and where.
    repeats : int
        Timed calls after two of warm-up.

    Returns
    -------
    dict
        Medians and quartiles in s, peak memory, and the bytes that had to move.
    """
    with implementation(name):
        first = CASES[case](size, device, torch.float32, 0)
        held = sum(tensor.nbytes for tensor in first.inputs)
        copies = max(1, min(MAX_COPIES, repeats, ROTATED_BYTES // held))
        works = [first] + [CASES[case](size, device, torch.float32, i) for i in range(1, copies)]
        found: dict[str, Any] = {
            "floor_bytes": dict(zip(("forward", "both"), first.floor, strict=True))
        }
        calls: dict[str, Callable[[Work], Any]] = {"forward": forward, "both": everything}
        for which, call in calls.items():
            samples = [_sample(call, works[i % copies], device) for i in range(repeats + 2)][2:]
            found[which] = summarise(samples)["wall_s"]
        works = [first]
        for which, call in calls.items():
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
                call(first)
                found[which]["peak_mb"] = round(torch.cuda.max_memory_allocated() / 1e6, 1)
    return found


def bandwidth(device: torch.device) -> float:
    """Bytes per s, read and written, of copying a large tensor."""
    source = torch.rand(COPIED_BYTES[device.type] // 4, device=device)
    target = torch.empty_like(source)
    samples = [_sample(lambda _: target.copy_(source), None, device) for _ in range(13)][3:]
    return 2 * source.nbytes / summarise(samples)["wall_s"]["median"]


@torch.no_grad()
def forward(work: Work) -> Tensor:
    """Output alone."""
    return work.run()


def everything(work: Work) -> list[Tensor]:
    """Output and gradients of a weighted sum of it."""
    out = work.run()
    grad = _weights(out.shape, out.dtype, out.device)
    return [out.detach(), *torch.autograd.grad(out, list(work.inputs), grad)]


@functools.lru_cache(maxsize=1)
def _weights(shape: torch.Size, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Make the weights of the sum once, in the warm-up: they are not the op's."""
    phase = torch.arange(shape.numel(), device=device) % 7 - 3.0
    weight = phase.to(dtype.to_real()).reshape(shape)
    return torch.complex(weight, weight.flip(-1)) if dtype.is_complex else weight


def _sample(call: Callable[[Any], Any], argument: Any, device: torch.device) -> Sample:
    """One call: by events of the device, or by the clock."""
    cpu = time.process_time()
    if device.type != "cuda":
        start = time.perf_counter()
        call(argument)
        return Sample(time.perf_counter() - start, time.process_time() - cpu)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    call(argument)
    end.record()
    torch.cuda.synchronize()
    return Sample(begin.elapsed_time(end) / 1e3, time.process_time() - cpu)
