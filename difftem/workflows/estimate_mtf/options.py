"""What an estimate of an MTF can be told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    micrographs: list[str]
    output: Path
    gain: float | None
    dose: float | None
    read_noise: float | None  # grey values; None fits it
    family: str
    boxes: str | None
    size: int
    crops: int
    min_frequency: float | None  # cycles/pixel; None chooses
    max_frequency: float
    window: str
    frames: Literal["auto", "exposures", "even_odd", "sum"]
    fields: Literal["auto", "same", "separate"]
    single: bool
    pixel_size: float | None
    edge: bool
    edge_box: list[int] | None
    overwrite: bool
