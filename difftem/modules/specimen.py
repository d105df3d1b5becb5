"""Specimen: whatever the beam can be sent through, at a position of the stage."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor

from difftem.functional.slice_source import Slices
from difftem.modules.beam import Beam
from difftem.modules.stage import Stage


class View(NamedTuple):
    """What the beam meets at a position of the stage, or at several along a batch axis.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import View
    >>> one_slice = View(slices=[torch.zeros(8, 8)], heights=[0.0])
    >>> len(one_slice.heights)
    1
    """

    slices: Slices | Iterable[Tensor]  # of (..., y, x) V Å, the first is hit first
    heights: Sequence[float]  # Å, where the slices act, from the middle of the specimen


class Specimen(Protocol):
    """What `Simulator` needs of atoms (`Potential`) and of particles (`ParticleSpecimen`).

    Examples
    --------
    >>> from difftem.modules import Beam, ParticleSpecimen, Stage
    >>> specimen = ParticleSpecimen({}, [], (8, 8), pixel_size=2.0, slice_thickness=10.0)
    >>> view = specimen.view(Stage(), Beam())
    >>> specimen.shape, len(view.heights)
    ((8, 8), 1)
    """

    shape: tuple[int, int]  # (ny, nx) of the field in pixels
    pixel_size: float  # Å
    slice_thickness: float  # Å
    takes_series: bool  # whether all tilts can be viewed at once

    def view(
        self,
        stage: Stage,
        beam: Beam,
        tilt: int | None = None,
    ) -> View:
        """Slices at a position of the stage.

        Parameters
        ----------
        stage : Stage
            Turns and shifts the specimen.
        beam : Beam
            Its wavelength matters where matter has a depth inside a slice.
        tilt : int, optional
            Index in a series. Default: all tilts, along a batch axis.

        Returns
        -------
        View
            Slices and their heights.
        """
