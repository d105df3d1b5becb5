"""Where a crop of a field of view is from."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """Where a crop is from.

    Attributes
    ----------
    field : int
        Number of the field of view, in the order of `CropFacts.fields`.
    y, x : int
        First row and column.
    size : int
        Side in pixels.
    contrast, rings, score : float
        Of `difftem.micrograph.background.score_windows`; NaN where the box was given.
    """

    field: int
    y: int
    x: int
    size: int
    contrast: float = math.nan
    rings: float = math.nan
    score: float = math.nan
