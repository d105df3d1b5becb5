"""What a user may ask of a rendering."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from difftem.io.volume import FileAxes

Style = Literal["volume", "surface", "slices"]
Preset = Literal["cryo", "dark-field"]
Backdrop = Literal["black", "white"]
Matter = Literal["bright", "dark"]
_CHOICES = {
    "style": Style,
    "preset": Preset,
    "backdrop": Backdrop,
    "axes": FileAxes,
    "contrast": Matter,
}
SIZES = (64, 4096)  # pixels
SECONDS, FPS = (0.1, 600.0), (1.0, 60.0)
MAX_SMOOTH = 20.0  # voxels


@dataclass(frozen=True)
class RenderOptions:
    """Of `difftem.render`, whose docstring explains them."""

    titles: tuple[str, ...] | None = None
    style: Style | None = None
    preset: Preset = "cryo"
    threshold: float | None = None
    top: float | None = None
    opacity: float = 1.0
    azimuth_deg: float = 30.0
    elevation_deg: float = 15.0
    backdrop: Backdrop | None = None
    axes: FileAxes = "auto"
    contrast: Matter = "bright"
    voxel_size: float | None = None
    crop: tuple[int, int, int, int, int, int] | None = None
    bin: int | None = None
    smooth: float = 0.0
    size: int | None = None
    memory_limit_gb: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without volumes."""
        for name, known in _CHOICES.items():
            value, allowed = getattr(self, name), get_args(known)
            if value is not None and value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value}")
        for name in ("threshold", "top", "azimuth_deg", "elevation_deg"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number, got {value}")
        if self.threshold is not None and self.top is not None and not self.threshold < self.top:
            raise ValueError(f"top must be above threshold {self.threshold:g}, got {self.top:g}")
        if not 0 < self.opacity <= 100:
            raise ValueError(f"opacity must be above 0 and at most 100, got {self.opacity}")
        if not -90 <= self.elevation_deg <= 90:
            raise ValueError(f"elevation_deg must be -90 to 90 degrees, got {self.elevation_deg}")
        if self.bin is not None and self.bin < 1:
            raise ValueError(f"bin must be at least 1, got {self.bin}")
        if not 0 <= self.smooth <= MAX_SMOOTH:
            raise ValueError(f"smooth must be 0 to {MAX_SMOOTH:g} voxels, got {self.smooth}")
        if self.size is not None and not SIZES[0] <= self.size <= SIZES[1]:
            raise ValueError(f"size must be {SIZES[0]} to {SIZES[1]} pixels, got {self.size}")
        if self.crop is not None and (
            len(self.crop) != 6 or min(self.crop) < 0 or min(self.crop[3:]) < 2
        ):
            raise ValueError(
                "crop must be x, y, z of the first voxel and width, height and depth of at least "
                f"2 voxels, got {self.crop}"
            )


def check_times(seconds: float, fps: float) -> None:
    """Refuse a movie that is none.

    Parameters
    ----------
    seconds : float
        How long it plays.
    fps : float
        Frames a second.

    Raises
    ------
    ValueError
        If one is out of range.
    """
    for name, value, (low, high) in (("seconds", seconds, SECONDS), ("fps", fps, FPS)):
        if not low <= value <= high:
            raise ValueError(f"{name} must be {low:g} to {high:g}, got {value:g}")
