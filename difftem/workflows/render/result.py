"""What a rendering gives: a picture, a movie, a page."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from difftem.io.files import replacing
from difftem.pictures import bar_length
from difftem.simulation.preview import save_figure, show_figure
from difftem.workflows.render.camera import CameraView, fitted_view
from difftem.workflows.render.canvas import Canvas
from difftem.workflows.render.load import ShownVolume
from difftem.workflows.render.look import LOOKS, Look
from difftem.workflows.render.movie import write_gif, write_mp4
from difftem.workflows.render.options import Backdrop, RenderOptions, Style, check_times
from difftem.workflows.render.output import PAGE, PICTURE, check_render_output
from difftem.workflows.render.page import write_page
from difftem.workflows.render.scene import VolumeScene
from difftem.workflows.render.slices import draw_slices
from difftem.workflows.render.transfer import TransferFunction

PICTURE_SIZE, MOVIE_SIZE, SLICE_SIZE = 800, 512, 400  # pixels of a panel
PAGE_FRAMES = 72  # of a turn
_CONTENT = 0.05  # of the way from threshold to top: above it there is something to look at


@dataclass(frozen=True, eq=False)
class RenderedVolumes:
    """Volumes, and how they are shown.

    Attributes
    ----------
    volumes : list of ShownVolume
        Side by side.
    transfer : TransferFunction
        Of all of them.
    style : {"volume", "surface", "slices"}
        What is drawn.
    options : RenderOptions
        What was asked for.
    messages : list of str
        All that was said.
    """

    volumes: list[ShownVolume]
    transfer: TransferFunction
    style: Style
    options: RenderOptions
    messages: list[str]

    @cached_property
    def image(self) -> NDArray[np.uint8]:  # (height, width, 3)
        """Picture: red, green, blue, row 0 at the top."""
        return next(iter(self._frames(1, self.options.size or PICTURE_SIZE, all_round=False)))

    @cached_property
    def figure(self) -> Figure:
        """Picture as matplotlib has it."""
        if self.style == "slices":
            return draw_slices(self.volumes, self.options.size or SLICE_SIZE)
        height, width = self.image.shape[:2]
        figure = Figure(figsize=(width / 100, height / 100))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(self.image)
        axes.set_axis_off()
        return figure

    def show(self) -> None:
        """Show the picture in a window or a notebook."""
        show_figure(self.figure)

    def save(
        self, path: str | Path, overwrite: bool = False, seconds: float = 10.0, fps: float = 20.0
    ) -> list[Path]:
        """Write a picture, a movie once round the volume or a page that turns it, or nothing.

        Parameters
        ----------
        path : str or Path
            ``.png``; ``.mp4`` or ``.gif``; ``.html``.
        overwrite : bool
            Replace a file that exists.
        seconds : float
            Of a turn.
        fps : float
            Frames a second of a movie.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        ValueError
            If the file exists and `overwrite` is false, its folder does not exist, or nothing can
            write such a file here.
        """
        path = Path(path)
        check_times(seconds, fps)
        check_render_output(path, overwrite, self.style)
        suffix, size = path.suffix.lower(), self.options.size or MOVIE_SIZE
        with replacing(path, overwrite) as part:
            if suffix == PICTURE:
                self._save_picture(part)
            elif suffix == PAGE:
                frames = self._frames(PAGE_FRAMES, size, all_round=True)
                title = ", ".join(volume.title for volume in self.volumes)
                write_page(part, frames, title, self.facts(), seconds)
            else:
                frames = self._frames(max(1, round(seconds * fps)), size, all_round=True)
                (write_gif if suffix == ".gif" else write_mp4)(part, frames, fps)
        return [path]

    def _save_picture(self, path: Path) -> None:
        """Write a PNG."""
        if self.style == "slices":
            save_figure(self.figure, path)
            return
        from PIL import Image

        Image.fromarray(self.image).save(path, format="PNG", optimize=True)

    def view(self, all_round: bool) -> CameraView:
        """Camera of the first frame."""
        transfer = self.transfer
        level = transfer.threshold
        if self.style == "volume":
            level += _CONTENT * (transfer.top - transfer.threshold)
        options = self.options
        return fitted_view(
            self.volumes, level, options.azimuth_deg, options.elevation_deg, all_round
        )

    def _frames(self, n: int, size: int, all_round: bool) -> Iterator[NDArray[np.uint8]]:
        """Pictures once round the volumes."""
        size += size % 2
        view = self.view(all_round)
        titles = [volume.title for volume in self.volumes]
        if len(titles) == 1 and self.options.titles is None:
            titles = [""]
        canvas = Canvas(len(titles), size, titles, self._bar(view, size), self.backdrop)
        hidden = n == 1 or not sys.stderr.isatty()
        with self._scenes(size) as scenes:
            for index in tqdm(range(n), desc="frames", unit="frame", disable=hidden):
                turned = view.turned(360 * index / n)
                yield canvas.composed([scene.picture(turned) for scene in scenes])

    @contextmanager
    def _scenes(self, size: int) -> Iterator[list[VolumeScene]]:
        """Windows of all volumes."""
        scenes: list[VolumeScene] = []
        try:
            for volume in self.volumes:
                scenes.append(
                    VolumeScene(
                        volume,
                        self.transfer,
                        self.look,
                        self.style,
                        self.options.opacity,
                        self.backdrop,
                        size,
                    )
                )
            yield scenes
        finally:
            for scene in scenes:
                scene.close()

    def _bar(self, view: CameraView, size: int) -> tuple[float, str]:
        """Length of the scale bar in pixels, and its label."""
        width = 2 * view.half
        if self.volumes[0].voxel_size is None:
            length, _ = bar_length(width)
            label = f"{length:g} voxels"
        else:
            length, label = bar_length(width)
        return length / width * size, label

    @property
    def look(self) -> Look:
        """Preset."""
        return LOOKS[self.options.preset]

    @property
    def backdrop(self) -> Backdrop:
        """Colour behind volumes."""
        return self.options.backdrop or self.look.backdrop

    @property
    def summary(self) -> str:
        """One line of the result."""
        names = ", ".join(volume.title for volume in self.volumes)
        if self.style == "slices":
            return f"{names}: central slices"
        transfer, how = self.transfer, "given"
        if self.options.threshold is None:
            sigmas = (transfer.threshold - transfer.level) / transfer.noise if transfer.noise else 0
            how = (
                f"{sigmas:.3g} deviations of the noise, {transfer.noise:.4g}, above the "
                f"background, {transfer.level:.4g}"
            )
        return f"{names}: shown from {transfer.threshold:.4g} ({how}) to {transfer.top:.4g}"

    def facts(self) -> dict[str, str]:
        """Tell a reader of the page what is shown."""
        transfer = self.transfer
        sizes = {
            volume.title: " x ".join(map(str, reversed(volume.data.shape)))
            + " voxels (x, y, z)"
            + (f" of {volume.voxel_size:.4g} Å" if volume.voxel_size else "")
            for volume in self.volumes
        }
        return {
            **sizes,
            "shown as": f"{self.style}, preset {self.options.preset}",
            "threshold": f"{transfer.threshold:.4g}",
            "top": f"{transfer.top:.4g}",
            "background": f"{transfer.level:.4g} ± {transfer.noise:.4g}",
        }
