"""Pictures side by side, with titles and a scale bar."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from difftem.workflows.render.options import Backdrop

_COLUMNS = 4  # more panels go into further rows
_GAP = 4  # pixels between panels
_INK = {"black": "white", "white": "black"}
_RULE = {"black": 70, "white": 200}  # grey between panels


class Canvas:
    """The frame around panels: drawn once, laid over every picture of a movie.

    Parameters
    ----------
    n : int
        Panels.
    size : int
        Pixels of the side of one.
    titles : sequence of str
        Of each; none at all where there are none.
    bar : tuple of float and str
        Length of the scale bar in pixels, and its label.
    backdrop : {"black", "white"}
        Colour of the panels' ground.
    """

    def __init__(
        self,
        n: int,
        size: int,
        titles: Sequence[str],
        bar: tuple[float, str],
        backdrop: Backdrop,
    ) -> None:
        self.size = size
        rows = math.ceil(n / _COLUMNS)
        self.columns = math.ceil(n / rows)
        self.head = 2 * max(9, round(0.035 * size)) if any(titles) else 0
        self.height = rows * (self.head + size) + (rows - 1) * _GAP
        self.width = self.columns * size + (self.columns - 1) * _GAP
        # Even sides, as movies want them.
        self.height, self.width = self.height + self.height % 2, self.width + self.width % 2
        ground = 255 if backdrop == "white" else 0
        self.ground = np.full((self.height, self.width, 3), _RULE[backdrop], np.uint8)
        for place in map(self._place, range(n)):
            row, column = place
            self.ground[row - self.head : row + size, column : column + size] = ground
        self.n = n
        self._over, self._share = self._overlay(titles, bar, backdrop)

    def _place(self, index: int) -> tuple[int, int]:
        """First row and column of a panel."""
        row, column = divmod(index, self.columns)
        return row * (self.head + self.size + _GAP) + self.head, column * (self.size + _GAP)

    def _overlay(
        self, titles: Sequence[str], bar: tuple[float, str], backdrop: Backdrop
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Titles and scale bar, and how much each pixel has of them."""
        dpi = 100
        figure = Figure(figsize=(self.width / dpi, self.height / dpi), dpi=dpi)
        figure.patch.set_alpha(0)
        canvas = FigureCanvasAgg(figure)
        ink, size = _INK[backdrop], self.size
        points = 72 / dpi
        longest = int(size / (0.022 * size))
        for index, title in enumerate(titles):
            row, column = self._place(index)
            shown = title if len(title) <= longest else title[: longest - 1] + "…"
            figure.text(
                (column + size / 2) / self.width,
                1 - (row - self.head / 2) / self.height,
                shown,
                color=ink,
                ha="center",
                va="center",
                fontsize=max(8.0, 0.036 * size) * points,
            )
        row, column = self._place(0)
        margin, thick = 0.045 * size, max(2.0, 0.008 * size)
        length, label = bar
        left, bottom = column + margin, self.height - (row + size - margin)
        figure.add_artist(
            Rectangle(
                (left / self.width, bottom / self.height),
                length / self.width,
                thick / self.height,
                facecolor=ink,
                linewidth=0,
                transform=figure.transFigure,
            )
        )
        figure.text(
            (left + length / 2) / self.width,
            (bottom + 2.0 * thick) / self.height,
            label,
            color=ink,
            ha="center",
            va="bottom",
            fontsize=max(8.0, 0.032 * size) * points,
        )
        canvas.draw()
        drawn = np.asarray(canvas.buffer_rgba()).astype(np.float32)
        return drawn[..., :3], drawn[..., 3:] / np.float32(255)

    def composed(self, panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Lay panels side by side.

        Parameters
        ----------
        panels : sequence of ndarray
            Red, green, blue, shape ``(size, size, 3)`` each.

        Returns
        -------
        ndarray
            Shape ``(height, width, 3)``, both even.
        """
        whole = self.ground.copy()
        for index, panel in enumerate(panels):
            row, column = self._place(index)
            whole[row : row + self.size, column : column + self.size] = panel
        mixed = whole * (1 - self._share) + self._over * self._share
        return np.rint(mixed).astype(np.uint8)
