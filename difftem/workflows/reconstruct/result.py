"""What a reconstruction gives: a volume, a picture, a record."""

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from difftem.io.files import replacing
from difftem.simulation.preview import save_figure, show_figure
from difftem.simulation.record import versions, write_record
from difftem.tomography.axis_search import AxisFound
from difftem.tomography.geometry import SingleAxis
from difftem.workflows.reconstruct.figure import draw_volume
from difftem.workflows.reconstruct.options import Axes
from difftem.workflows.reconstruct.volume_file import (
    check_volume_output,
    volume_files,
    write_volume,
)


@dataclass(frozen=True, eq=False)
class ReconstructedVolume:
    """A volume and how it came about.

    Attributes
    ----------
    name : str
        Of the series.
    volume : Tensor
        Densities, ``(z, y, x)``: the tilt axis is y, the beam runs along +z, the middle is voxel
        n // 2. Units: a grey value of the images per voxel along the beam.
    voxel_size : float or None
        Å.
    method : str
        That was used.
    geometry : SingleAxis
        Of the binned images, with what the alignment found.
    residuals : list of float
        Relative residual of SIRT after 0, 1, 2 ... iterations; empty without.
    turn_deg : float
        The volume is the sample, turned by the negative of it about z: 0 unless RELION's files
        have a tilt axis that is not y.
    axis : AxisFound or None
        The tilt axis with its uncertainty, if it was searched for.
    settings : dict
        What was asked for.
    messages : list of str
        All that was said.
    seconds : float
        That the reconstruction took.
    """

    name: str
    volume: Tensor
    voxel_size: float | None
    method: str
    geometry: SingleAxis
    residuals: list[float]
    turn_deg: float
    axis: AxisFound | None
    settings: dict[str, Any]
    messages: list[str]
    seconds: float

    @cached_property
    def figure(self) -> Any:
        """Central slices and the residual, of matplotlib."""
        return draw_volume(self.volume, self.voxel_size, self.residuals, self.summary)

    def show(self) -> None:
        """Show the central slices in a window or a notebook."""
        show_figure(self.figure)

    def save(
        self, path: str | Path, overwrite: bool = False, axes: Axes | None = None
    ) -> list[Path]:
        """Write volume, picture and record, all or nothing.

        Parameters
        ----------
        path : str or Path
            MRC file to write, the others get its name; or a folder, for ``volume.mrc`` in it.
        overwrite : bool
            Replace files that exist.
        axes : {"imod", "zyx"}, optional
            Order of the axes in the file, see `in_file_order`. Default: what was asked for.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        InputError
            If a file exists and `overwrite` is false, or the folder does not exist.
        """
        path = Path(path)
        check_volume_output(path, overwrite)
        files = volume_files(path)
        order: Axes = axes or self.settings["axes"]
        with ExitStack() as stack:
            part = {n: stack.enter_context(replacing(f, overwrite)) for n, f in files.items()}
            write_volume(part["volume"], self.volume, self.voxel_size, order)
            save_figure(self.figure, part["panel"])
            write_record(part["record"], {**self.record(), "file_axes": order})
        return list(files.values())

    @property
    def summary(self) -> str:
        """One line of the result."""
        nz, ny, nx = self.volume.shape
        size = "" if self.voxel_size is None else f" of {self.voxel_size:.4g} Å"
        end = ""
        if self.residuals:
            end = f", {len(self.residuals) - 1} iterations, residual {self.residuals[-1]:.3g}"
        return (
            f"{self.name}: {nx} x {ny} x {nz} voxels (x, y, z){size}, {self.method} of "
            f"{len(self.geometry)} tilts{end}"
        )

    def record(self) -> dict[str, Any]:
        """All numbers, settings and messages, as the JSON file has them."""
        nz, ny, nx = self.volume.shape
        return {
            "name": self.name,
            "method": self.method,
            "voxels_xyz": [nx, ny, nz],
            "voxel_size_angstrom": self.voxel_size,
            "tilts_deg": self.geometry.tilts_deg.tolist(),
            "matrices": self.geometry.matrices.tolist(),
            "shifts_pixels": self.geometry.shifts.tolist(),
            "sample_turned_by_deg": -self.turn_deg,
            "tilt_axis_found": None if self.axis is None else asdict(self.axis),
            "residuals": self.residuals,
            "seconds": round(self.seconds, 2),
            "settings": self.settings,
            "messages": self.messages,
            "versions": versions(),
        }
