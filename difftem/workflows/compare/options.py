"""What a user may ask of a comparison."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from difftem.io.volume import FileAxes

CompareKind = Literal["auto", "image", "stack", "volume"]
GreyFit = Literal["affine", "none"]
SHAPED = ("hann", "sphere", "none")
THRESHOLDS = (0.5, 0.143)
_CHOICES = {"kind": CompareKind, "fit": GreyFit, "axes": FileAxes, "truth_axes": FileAxes}


@dataclass(frozen=True)
class CompareOptions:
    """Of `difftem.compare`, whose docstring explains them."""

    files: tuple[str, ...]
    truth: str | None = None
    kind: CompareKind = "auto"
    tilts: str | tuple[float, ...] | None = None
    mask: str = "hann"
    mask_diameter: float | None = None
    fit: GreyFit = "affine"
    pixel_size: float | None = None
    axes: FileAxes = "auto"
    truth_axes: FileAxes = "auto"
    memory_limit_gb: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without files."""
        for name, known in _CHOICES.items():
            value, allowed = getattr(self, name), get_args(known)
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value}")
        if not self.files:
            raise ValueError("files must be one at least, got none")
        if len(self.files) == 1 and self.truth is None:
            raise ValueError(
                f"{self.files[0]}: there is nothing to compare it with: give a second file, or a "
                "truth (--truth FILE)"
            )
        if isinstance(self.tilts, tuple) and (
            len(self.tilts) < 2 or not all(map(math.isfinite, self.tilts))
        ):
            raise ValueError(
                f"tilts must be two angles in degrees at least, or a file, got {self.tilts}"
            )
        for name in ("pixel_size", "mask_diameter"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive, got {value} Å")
        if self.mask_diameter is not None and self.mask != "sphere":
            raise ValueError(f"mask_diameter is of the mask sphere, but mask is {self.mask}")
