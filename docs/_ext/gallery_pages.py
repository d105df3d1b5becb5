"""Tutorials as gallery pages: their order, and the pictures of ``result.show()``."""

import warnings
from pathlib import Path

from matplotlib import pyplot
from matplotlib.figure import Figure
from sphinx.application import Sphinx

from difftem.simulation import preview

ORDER = (
    "first_micrograph",
    "your_own_microscope",
    "scene_and_truth",
    "fit_defocus",
    "detector_from_noise",
    "a_task_of_your_own",
)


def reading_order(name: str) -> int:
    """Give a tutorial's place; those not named come last."""
    stem = Path(name).stem
    return ORDER.index(stem) if stem in ORDER else len(ORDER)


def show_figure(figure: Figure) -> None:
    """Hand a finished figure to pyplot, from which the gallery takes it."""
    manager = pyplot.figure(figsize=tuple(figure.get_size_inches())).canvas.manager
    manager.canvas.figure = figure
    figure.set_canvas(manager.canvas)


def setup(app: Sphinx) -> dict[str, bool]:
    """Put the figures where the gallery finds them, before results import the way to show them."""
    preview.show_figure = show_figure
    warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
