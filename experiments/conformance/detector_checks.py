"""Counting and detection against what statistics says."""

from collections.abc import Iterator

import numpy as np
import torch

from difftem.modules import Detector, Dose, Lens, Multislice, ParticleSpecimen, Simulator
from difftem.modules.preset_mtf import mtf_from_preset
from difftem.presets import detector_preset
from experiments.conformance.check import Check
from experiments.conformance.relion import Array

PIXEL, SIZE, DOSE, FRAMES = 1.5, 512, 20.0, 8


def checks() -> Iterator[Check]:
    """Run all checks."""
    generator = torch.Generator().manual_seed(0)
    specimen = ParticleSpecimen({}, [], (SIZE, SIZE), PIXEL, 10.0)
    stages = Multislice(PIXEL, 10.0), Lens(PIXEL), Dose(DOSE, PIXEL)
    counting = Simulator(specimen, *stages, Detector())
    with torch.no_grad():
        expected = counting.expected_counts(counting.intensity())
        yield Check(
            "dose",
            "electrons per pixel of vacuum, ratio",
            "dose x pixel area",
            float(expected.double().mean()) / (DOSE * PIXEL**2),
            1.0,
            1e-5,
        )
        counts = counting.read_out(expected, generator)[0].double().numpy()
        n = counts.size
        yield Check(
            "counting",
            "variance of counts / mean",
            "Poisson; four standard errors",
            float(counts.var() / counts.mean()),
            1.0,
            4 * (2 / n) ** 0.5,
        )
        curve = mtf_from_preset(detector_preset("falcon3ec_300kv"))
        blurred = Detector(curve, gain=10.0)
        rate = blurred.rate(expected)
        frames = [
            blurred(counting.poisson(rate, generator), expected, generator).double().numpy()
            for _ in range(FRAMES)
        ]
        power = np.mean([np.abs(np.fft.fft2(each - each.mean())) ** 2 for each in frames], 0) / n
        for frequency in (0.1, 0.25, 0.48):
            transfer = float(curve(torch.tensor([frequency], dtype=torch.float64)))
            yield Check(
                "detector",
                f"noise power at {frequency} cycles/pixel, ratio",
                "gain² x counts x MTF², four standard errors",
                _ring(power, frequency) / (100 * float(rate.double().mean()) * transfer**2),
                1.0,
                4 / (float(_inside(frequency).sum()) * FRAMES / 2) ** 0.5,
            )


def _inside(frequency: float) -> Array:
    """Ring of half a hundredth of a cycle per pixel to either side."""
    q = np.fft.fftfreq(SIZE)
    ring: Array = np.abs(np.hypot(q[:, None], q) - frequency) < 0.005
    return ring


def _ring(power: Array, frequency: float) -> float:
    """Mean over the ring."""
    return float(power[_inside(frequency)].mean())
