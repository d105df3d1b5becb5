"""What is looked at: a mask in real space, and the frequencies that a tilt series has seen."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from difftem.functional.hann import hann_window
from difftem.functional.soft_mask import soft_ball
from difftem.io.errors import input_error
from difftem.scene.files.imod_read import read_tilts
from difftem.tomography.wedge import wedge_mask
from difftem.workflows.compare.load import Compared, Kind, check_fits, load
from difftem.workflows.compare.options import SHAPED, CompareOptions

logger = logging.getLogger(__name__)

_DIAMETER, _EDGE = 0.8, 0.1  # of the shortest side


@dataclass(frozen=True, eq=False)
class Window:
    """Weights in real space.

    Attributes
    ----------
    weight : Tensor
        That Fourier transforms are taken behind, of an image or a volume.
    inside, outside : Tensor or None
        Where errors are taken and where there is background, true and false; None where the window
        is there for the Fourier transform only.
    what : str
        In words.
    """

    weight: Tensor
    inside: Tensor | None
    outside: Tensor | None
    what: str


def make_window(like: Compared, kind: Kind, options: CompareOptions) -> Window:
    """Make the mask that was asked for.

    Parameters
    ----------
    like : Compared
        What all are like.
    kind : {"images", "volume"}
        What they are.
    options : CompareOptions
        With the mask.

    Returns
    -------
    Window
        Its parts.

    Raises
    ------
    InputError
        If a file does not fit, or is no mask.
    """
    shape = tuple(like.data.shape) if kind == "volume" else tuple(like.data.shape[-2:])
    if options.mask == "hann":
        return Window(hann_window(shape), None, None, "Hann's window over the whole width")
    if options.mask == "none":
        return Window(torch.ones(shape), None, None, "none: edges leak over the spectrum")
    if options.mask == "sphere":
        side = min(shape)
        diameter = _DIAMETER * side
        if options.mask_diameter is not None:
            diameter = options.mask_diameter / (like.pixel_size or 1.0)
        weight, unit = soft_ball(shape, diameter, _EDGE * side), _unit(like)
        size = diameter * (like.pixel_size or 1.0)
        name = "ball" if kind == "volume" else "disc"
        what = f"{name} of {size:.4g} {unit} with a cosine edge of {_EDGE * side:.3g} pixels"
    else:
        weight, what = _from_file(like, kind, options), f"{Path(options.mask).name}"
    return Window(weight, weight >= 0.5, weight <= 0, what)


def make_wedge(
    shape: tuple[int, int, int], options: CompareOptions
) -> tuple[Tensor, str] | None:  # (z, y, x // 2 + 1)
    """Mark the frequencies that a tilt series has seen, and say which; None if all count."""
    if options.tilts is None:
        return None
    if isinstance(options.tilts, str):
        tilts = read_tilts(options.tilts).tilts_deg
    else:
        tilts = torch.tensor(options.tilts, dtype=torch.float64)
    if len(tilts) < 2:
        raise ValueError(f"{options.tilts}: one angle only: two are needed at least")
    low, high = float(tilts.min()), float(tilts.max())
    return wedge_mask(shape, tilts), f"{low:g}° to {high:g}° about y"


def _from_file(like: Compared, kind: Kind, options: CompareOptions) -> Tensor:
    """Read a mask, and check that it is one."""
    path = options.mask
    if not Path(path).exists():
        raise input_error(path, f"no such mask; expected a file or one of {', '.join(SHAPED)}")
    axes = options.axes if options.truth is None else options.truth_axes
    found = load(path, Path(path).name, kind, "auto", axes)
    one = like if kind == "volume" else Compared(like.name, like.data[:1], like.pixel_size)
    check_fits(one, found, kind)
    weight = found.data if kind == "volume" else found.data[0]
    low, high = float(weight.min()), float(weight.max())
    if low < 0 or high > 1.001:
        raise input_error(path, f"a mask has values of 0 to 1, got {low:.4g} to {high:.4g}")
    if bool(((weight == 0) | (weight == 1)).all()):
        logger.warning(
            "%s: its edges are hard, which makes any two files agree: soften them by some pixels",
            Path(path).name,
        )
    return weight.double()


def _unit(like: Compared) -> str:
    return "pixels" if like.pixel_size is None else "Å"
