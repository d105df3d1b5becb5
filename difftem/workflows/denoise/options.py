"""What denoising can be told."""

import math
from dataclasses import dataclass
from typing import Literal

from difftem.workflows.denoise.methods import METHODS, methods_with_weights

DenoiseFrames = Literal["auto", "exposures", "even_odd", "sum", "separate"]


@dataclass(frozen=True)
class DenoiseOptions:
    """Arguments of `difftem.denoise`, checked as far as that goes without an image."""

    method: str = "auto"
    frames: DenoiseFrames = "auto"
    fields: Literal["auto", "same", "separate"] = "auto"
    detector: str | None = None
    mtf: str | None = None
    gain: float | None = None
    dose: float | None = None
    pixel_size: float | None = None
    weights: str | None = None
    adapt: float | None = None
    minutes: float | None = None
    balance: bool = True
    rotations: bool = False
    std: bool | None = None
    mark: bool = False
    force: bool = False
    seed: int = 0
    accelerator: Literal["cpu", "cuda"] = "cpu"
    memory_limit_gb: float | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.method != "auto" and self.method not in METHODS:
            raise ValueError(
                f"method must be auto or one of {', '.join(METHODS)}, got {self.method!r} "
                "(difftem denoise --help says what each does); see difftem docs methods"
            )
        if self.gain is not None and self.dose is not None:
            raise ValueError(
                f"give gain or dose, not both; got {self.gain} and {self.dose}; "
                "see difftem docs gain"
            )
        if self.detector is not None and self.mtf is not None:
            raise ValueError(f"give detector or mtf, not both; got {self.detector} and {self.mtf}")
        method = self.method
        owners = {
            "weights": methods_with_weights(),
            "adapt": ("sbd",),
            "minutes": ("split", "n2n"),
        }
        for name, of in owners.items():
            if getattr(self, name) is not None and method not in ("auto", *of):
                raise ValueError(f"{name} belongs to method {' and '.join(of)}, not to {method}")
        for name in ("gain", "dose", "pixel_size", "adapt", "minutes", "memory_limit_gb"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a positive number, got {value}")
