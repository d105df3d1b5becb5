"""What a user may ask of a reconstruction."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from difftem.tomography.reconstruction import SirtOptions

Method = Literal["sirt", "wbp"]
Contrast = Literal["dark", "bright"]
Background = Literal["auto", "mean", "border", "none"]
Align = Literal["none", "correlate", "mass"]
Axes = Literal["imod", "zyx"]
_FARTHEST_UM = 100
_CHOICES = {
    "method": Method,
    "contrast": Contrast,
    "background": Background,
    "align": Align,
    "axes": Axes,
}


@dataclass(frozen=True)
class ReconstructOptions:
    """Of `difftem.reconstruct`, whose docstring explains them."""

    angles: str | None = None
    transforms: str | None = None
    tomogram: str | None = None
    method: Method = "sirt"
    thickness: int | None = None
    tilt_axis_deg: float | Literal["search"] | None = None
    search_axis_deg: float | None = None
    axis_offset: float = 0.0
    tilt_offset_deg: float = 0.0
    pixel_size: float | None = None
    bin: int = 1
    contrast: Contrast = "dark"
    background: Background = "auto"
    align: Align = "none"
    flip_phases: bool = False
    defocus_um: float | None = None
    voltage_kv: float | None = None
    cs_mm: float | None = None
    amplitude_contrast: float | None = None
    iterations: int = 30
    relaxation: float = 1.0
    lowest: float | None = None
    highest: float | None = None
    stop_at: float = 0.0
    cutoff: float = 0.35
    falloff: float = 0.035
    axes: Axes = "imod"
    accelerator: Literal["cpu", "cuda"] = "cpu"
    memory_limit_gb: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without images."""
        for name, known in _CHOICES.items():
            value, allowed = getattr(self, name), get_args(known)
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value}")
        if self.flip_phases and self.contrast == "bright":
            raise ValueError(
                "flip_phases (--flip-phases) is for images in bright field: contrast must be dark, "
                "got bright"
            )
        for name in ("defocus_um", "voltage_kv", "cs_mm", "amplitude_contrast"):
            if getattr(self, name) is not None and not self.flip_phases:
                raise ValueError(
                    f"{name} is for flip_phases (--flip-phases), which is not asked for"
                )
        if self.defocus_um is not None and abs(self.defocus_um) > _FARTHEST_UM:
            raise ValueError(
                f"defocus_um (--defocus-um) must be at most {_FARTHEST_UM} µm, got "
                f"{self.defocus_um:g}: is it in Å?"
            )
        if self.thickness is not None and self.thickness < 1:
            raise ValueError(
                f"thickness must be at least 1 voxel of the images as they are, "
                f"got {self.thickness}"
            )
        if isinstance(self.tilt_axis_deg, str) and self.tilt_axis_deg != "search":
            raise ValueError(
                f"tilt_axis_deg (--tilt-axis) must be a number of degrees or 'search', "
                f"got {self.tilt_axis_deg!r}"
            )
        if self.search_axis_deg is not None:
            if not 0 < self.search_axis_deg <= 90:
                raise ValueError(
                    "search_axis_deg (--search-axis) must be above 0 and at most 90 degrees, got "
                    f"{self.search_axis_deg:g}"
                )
            if self.tilt_axis_deg == "search":
                raise ValueError(
                    "--tilt-axis search looks everywhere; --search-axis looks around a direction: "
                    "give one"
                )
        if not abs(self.tilt_offset_deg) <= 90:
            raise ValueError(
                f"tilt_offset_deg (--tilt-offset) must be within 90 degrees, got "
                f"{self.tilt_offset_deg:g}"
            )
        if self.bin < 1:
            raise ValueError(f"bin must be at least 1, got {self.bin}")
        if not 0 < self.cutoff <= 0.5:
            raise ValueError(
                f"cutoff must be above 0 and at most 0.5 cycles/pixel, got {self.cutoff}"
            )
        if not 0 <= self.falloff <= 0.5:
            raise ValueError(f"falloff must be 0 to 0.5 cycles/pixel, got {self.falloff}")
        _ = self.sirt  # checks itself

    @property
    def sirt(self) -> SirtOptions:
        """Part of them that SIRT takes."""
        return SirtOptions(
            self.iterations,
            self.relaxation,
            -math.inf if self.lowest is None else self.lowest,
            math.inf if self.highest is None else self.highest,
            self.stop_at,
        )
