"""Where a volume is looked at from, and what of it fills the picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from difftem.workflows.render.load import ShownVolume

_OUTSIDE = 0.003  # share of it at either end of an axis that may be out of sight
_MARGIN = 0.06  # around it
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class CameraView:
    """An orthographic camera: all things are as large as they are, wherever they stand.

    Attributes
    ----------
    azimuth_deg, elevation_deg : float
        Direction towards the camera: 0, 0 is +z, so that x runs right and y up, as in the images;
        90, 0 is +x; an elevation of 90 is +y.
    center : tuple of float
        x, y, z in the middle of the picture, from the middle of the volume.
    half : float
        Half of the side of the picture.
    """

    azimuth_deg: float
    elevation_deg: float
    center: Vector
    half: float

    @property
    def towards(self) -> Vector:
        """Direction from the volume to the camera."""
        a, e = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        return math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)

    @property
    def up(self) -> Vector:
        """Direction that is up in the picture."""
        a, e = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        return -math.sin(a) * math.sin(e), math.cos(e), -math.cos(a) * math.sin(e)

    def turned(self, azimuth_deg: float) -> "CameraView":
        """Go further round the y axis."""
        return replace(self, azimuth_deg=self.azimuth_deg + azimuth_deg)


def fitted_view(
    volumes: Sequence[ShownVolume],
    level: float,
    azimuth_deg: float,
    elevation_deg: float,
    all_round: bool,
) -> CameraView:
    """Find the view that holds what there is of all volumes.

    Parameters
    ----------
    volumes : sequence of ShownVolume
        That are shown beside one another.
    level : float
        Grey value above which there is something.
    azimuth_deg, elevation_deg : float
        Of the camera.
    all_round : bool
        It is to hold it while the camera goes round.

    Returns
    -------
    CameraView
        The same for all.
    """
    boxes = torch.stack([_content(volume, level) for volume in volumes])
    low, high = boxes[:, 0].min(0).values, boxes[:, 1].max(0).values
    x, y, z = ((high - low) / 2).tolist()
    center = tuple(((high + low) / 2).tolist())
    a, e = math.radians(azimuth_deg), math.radians(elevation_deg)
    if all_round:
        across = deep = math.hypot(x, z)
    else:
        across = x * abs(math.cos(a)) + z * abs(math.sin(a))
        deep = x * abs(math.sin(a)) + z * abs(math.cos(a))
    half = max(across, y * math.cos(e) + deep * abs(math.sin(e)))
    return CameraView(azimuth_deg, elevation_deg, (center[0], center[1], center[2]), half)


def _content(volume: ShownVolume, level: float) -> Tensor:  # (2, 3)
    """Lowest and highest x, y, z of what is above a level, from the middle of the volume."""
    data = volume.data
    mask = (data > level).double()
    edges = []
    for dimension, side in zip((2, 1, 0), volume.sides, strict=True):
        n = data.shape[dimension]
        others = tuple(each for each in range(3) if each != dimension)
        share = mask.sum(others).cumsum(0)
        if float(share[-1]) == 0:
            edges.append((-side / 2, side / 2))
            continue
        share = share / share[-1]
        first = int((share <= _OUTSIDE).sum())
        last = int((share < 1 - _OUTSIDE).sum()) + 1
        margin = _MARGIN * max(volume.sides)
        edges.append(
            (
                max(first / n * side - margin, 0) - side / 2,
                min(last / n * side + margin, side) - side / 2,
            )
        )
    return torch.tensor(edges, dtype=torch.float64).T
