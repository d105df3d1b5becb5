"""A scene and the images of it: all that files of truth are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from difftem.io.image_stack import SUFFIXES
from difftem.scene.poses import Scene
from difftem.scene.templates.template import Template
from difftem.simulation.image_truth import ImageTruth

STACK_SUFFIXES = (".mrc", ".mrcs")


@dataclass(frozen=True, eq=False)
class ImagedScene:
    """What is where, and how it was imaged.

    Attributes
    ----------
    scene : Scene
        Copies in the sample, at no tilt.
    radii : mapping of str to float
        Of the particles in Å.
    truth : ImageTruth
        Optics of the images.
    shape : tuple of int
        Rows and columns (y, x) of an image.
    tilts_deg : list of float
        What the stage was set to.
    rotations : Tensor
        Sample to microscope, as they were, ``(n_tilts, 3, 3)``.
    shifts : Tensor
        Of the images along x and y in Å, ``(n_tilts, 2)``.
    tilt_axis_deg : float
        Direction of the tilt axis in the image, counter-clockwise from x.
    dose_e_per_a2 : float
        Of each tilt.
    exposures : int
        Images of each tilt in the stack, of which the tables have the first.
    name : str
        Of the tomogram, and of its file of tilts.
    templates : mapping of str to Template
        Of the particles; empty where no volumes are asked for.
    """

    scene: Scene
    radii: Mapping[str, float]
    truth: ImageTruth
    shape: tuple[int, int]
    tilts_deg: list[float]
    rotations: Tensor
    shifts: Tensor
    tilt_axis_deg: float
    dose_e_per_a2: float
    exposures: int
    name: str
    templates: Mapping[str, Template] = field(default_factory=dict)

    @property
    def is_series(self) -> bool:
        """Whether the images are those of a tilt series, rather than of one untilted field."""
        return is_series(self.tilts_deg)

    @property
    def pixel_size(self) -> float:  # Å
        """Of the images."""
        return self.truth.optics.pixel_size

    def seen(self, tilt: int) -> Tensor:  # (n, 3) Å
        """Where an image shows the copies, from its pixel n // 2."""
        shift = torch.nn.functional.pad(self.shifts[tilt], (0, 1))
        return self.truth.seen(self.scene.positions() @ self.rotations[tilt].T + shift)


def is_series(tilts_deg: list[float]) -> bool:
    """Tell a tilt series, which may have one image, from a field that is not tilted."""
    return len(tilts_deg) > 1 or tilts_deg[0] != 0


def stack_name(stem: str, tilts_deg: list[float], file_format: str = "mrc") -> str:
    """Name of a file of images: RELION knows MRC stacks by their suffix."""
    if file_format != "mrc":
        return stem + SUFFIXES[file_format]
    return stem + STACK_SUFFIXES[is_series(tilts_deg)]
