"""What an analysis can be told."""

import math
from dataclasses import dataclass, field
from typing import Literal

from difftem.analysis.atomic_columns import Contrast
from difftem.workflows.denoise.options import DenoiseOptions

TestedColumns = Literal["surface", "all", "none"]
PresentColumn = Literal["neighbours", "denoised"]


@dataclass(frozen=True)
class AnalyzeOptions:
    """Arguments of `difftem.analyze`, checked as far as that goes without an image."""

    denoise: DenoiseOptions = field(default_factory=DenoiseOptions)
    columns: TestedColumns = "surface"
    present: PresentColumn = "neighbours"
    contrast: Contrast = "white"
    radius: float = 0.75  # Å
    null_frames: int = 59
    level: float = 0.05
    vacuum: float | None = None  # electrons per pixel
    gradient: tuple[tuple[int, int], ...] = ()  # x, y
    truth: str | None = None
    tolerance: float = 0.6  # Å

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for name, allowed in (
            ("columns", ("surface", "all", "none")),
            ("present", ("neighbours", "denoised")),
            ("contrast", ("white", "black")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        for name, unit in (("radius", "Å"), ("tolerance", "Å"), ("vacuum", "electrons per pixel")):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive, got {value} {unit}")
        if not 0.001 <= self.level <= 0.5:
            raise ValueError(f"level must be between 0.001 and 0.5, got {self.level}")
        least = math.ceil(round(1 / self.level - 1, 6))
        if self.null_frames < least:
            raise ValueError(
                f"null_frames must be at least {least} for a level of {self.level:g}, got "
                f"{self.null_frames}"
            )
