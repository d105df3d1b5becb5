"""What an estimate of an MTF can be told."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from difftem.data.crops import check_dqe0
from difftem.micrograph.stack_use import FrameUse
from difftem.tasks.mtf_fit import FAMILIES

_OF_EDGES = ("micrographs", "edge", "edge_box", "memory_limit_gb")


@dataclass(frozen=True)
class EstimateOptions:
    """Arguments of `difftem.estimate_mtf`, checked as far as that goes without a file."""

    micrographs: list[str]
    gain: float | None = None
    dose: float | None = None
    dqe0: float | None = None
    read_noise: float | None = 0.0
    family: str = "auto"
    boxes: str | None = None
    size: int = 256
    crops: int = 50
    min_frequency: float | None = None
    max_frequency: float = 0.5
    window: str = "tukey"
    frames: FrameUse = "auto"
    fields: Literal["auto", "same", "separate"] = "auto"
    single: bool = False
    pixel_size: float | None = None
    edge: bool = False
    edge_box: list[int] | None = None
    memory_limit_gb: float | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if not self.micrographs:
            raise ValueError("no micrographs given")
        if self.gain is not None and self.dose is not None:
            raise ValueError(
                f"give gain or dose, not both; got {self.gain} and {self.dose}; "
                "see difftem docs gain"
            )
        check_dqe0(self.dqe0, self.dose)
        for name in ("gain", "dose", "pixel_size", "max_frequency", "memory_limit_gb"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a positive number, got {value}")
        for name in ("read_noise", "min_frequency"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a number >= 0, got {value}")
        lowest = self.min_frequency or 0.0
        if not lowest < self.max_frequency <= math.sqrt(0.5):
            raise ValueError(
                "max_frequency must be above min_frequency and at most 0.707 cycles/pixel, got "
                f"{lowest:g} and {self.max_frequency:g}"
            )
        if self.edge_box is not None and not self.edge:
            raise ValueError("edge_box belongs to edge")
        if self.family != "auto" and self.family not in FAMILIES:
            raise ValueError(
                f"family must be auto or one of {', '.join(FAMILIES)}, got {self.family!r}"
            )
        for name in ("size", "crops"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.edge:  # what only a fit to noise would use
            for each in fields(self):
                if each.name not in _OF_EDGES and getattr(self, each.name) != each.default:
                    raise ValueError(f"{each.name} does not apply to edge")
