"""The picture beside the numbers: noise-free, noisy, power spectrum."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import torch
from matplotlib.figure import Figure
from torch import Tensor

from difftem.analysis.spectrum import power_spectrum
from difftem.functional.grid import crop_center
from difftem.pictures import draw_array, draw_image
from difftem.simulation.focus import defocus_in_words

SPECTRUM_PIXELS = 2048  # the spectrum of a larger image is that of its middle
CHARACTERS = 10.5  # of a title that fit into an inch


def draw_preview(
    noise_free: Tensor | None,  # (y, x)
    micrograph: Tensor,  # (y, x)
    pixel_size: float,  # Å
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw noise-free image, micrograph and power spectrum.

    Parameters
    ----------
    noise_free, micrograph : Tensor
        Images of one exposure, shape ``(y, x)``; None for a micrograph that has no noise.
    pixel_size : float
        In Å.
    title : str
        One line of what was simulated; a long one is cut.
    subtitle : str
        Which image of a series it is.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    panels = [(micrograph, "image without noise")]
    if noise_free is not None:
        panels = [(noise_free, "noise-free"), (micrograph, "micrograph")]
    figure = Figure(figsize=(5.0 * len(panels) + 5.0, 6.1))
    # Fixed margins: a layout that is computed draws everything twice.
    figure.subplots_adjust(0.01, 0.08, 0.98, 0.87, wspace=0.18)
    *left, right = figure.subplots(1, len(panels) + 1)
    for axes, (image, name) in zip(left, panels, strict=True):
        draw_image(axes, image, pixel_size)
        axes.set_title(name)
    size = min(min(micrograph.shape), SPECTRUM_PIXELS)
    if size == SPECTRUM_PIXELS:
        micrograph = crop_center(micrograph, (size, size))
    spectrum = _centered_spectrum(micrograph)
    edge = 0.5 / pixel_size
    draw_array(right, spectrum, extent=(-edge, edge, -edge, edge))
    right.set_title("power spectrum (log)")
    right.set_xlabel("1/Å")
    right.locator_params(nbins=5)
    longest = int(CHARACTERS * figure.get_figwidth())
    shown = title if len(title) <= longest else title[: longest - 1] + "…"
    figure.suptitle(f"{shown}\n{subtitle}" if subtitle else shown, y=0.985)
    return figure


def image_title(index: int, tilts_deg: Sequence[float], defoci_um: Sequence[float] = ()) -> str:
    """Say which image of a series is shown; nothing where there is one that is not tilted.

    Parameters
    ----------
    index : int
        Of the image shown.
    tilts_deg, defoci_um : sequence of float
        Of all images; defoci are named where they differ.

    Returns
    -------
    str
        Such as ``"image 4 of 7: tilt 0°, defocus 2 µm"``.
    """
    words = []
    if len(tilts_deg) > 1 or tilts_deg[0] != 0:
        words.append(f"tilt {tilts_deg[index]:g}°")
    if len(set(defoci_um)) > 1:
        words.append(f"defocus {defocus_in_words(defoci_um[index])}")
    which = f"image {index + 1} of {len(tilts_deg)}: " if len(tilts_deg) > 1 else ""
    return which + ", ".join(words) if words else ""


def save_figure(figure: Figure, path: Path | BinaryIO, dpi: int = 100) -> None:
    """Write a PNG; without versions in it, so that the same picture has the same bytes."""
    # Noise at level 3 is written in a quarter of the time of the default, and smaller.
    options = {"compress_level": 3}
    figure.savefig(path, dpi=dpi, format="png", metadata={"Software": None}, pil_kwargs=options)


def show_figure(figure: Figure) -> None:
    """Show a finished figure in a window or a notebook.

    Parameters
    ----------
    figure : Figure
        Of matplotlib.
    """
    from matplotlib import pyplot

    if pyplot.get_backend().lower() == "agg":  # which has no window
        return
    # A new window adopts the figure, which was made without one.
    manager = pyplot.figure(figsize=tuple(figure.get_size_inches())).canvas.manager
    if manager is not None:
        manager.canvas.figure = figure
        figure.set_canvas(manager.canvas)
    pyplot.show()


def _centered_spectrum(image: Tensor) -> Tensor:
    """Logarithm of the full power spectrum with DC in the middle, averaged over 3 x 3 pixels."""
    full = power_spectrum(image, half=False)
    smooth = torch.nn.functional.avg_pool2d(full[None, None], 3, 1, 1, count_include_pad=False)
    return torch.fft.fftshift(torch.log(smooth[0, 0] + 1e-12))
