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
    """Weights in real space that Fourier transforms are taken behind, and in words.

    Errors are taken `inside` and there is background `outside`; None where the window is there for
    the Fourier transforms only.
    """

    weight: Tensor
    what: str
    inside: Tensor | None = None
    outside: Tensor | None = None


def make_window(like: Compared, kind: Kind, options: CompareOptions) -> Window:
    """Make the mask that was asked for, or read it.

    Raises
    ------
    InputError
        If a file does not fit, or is no mask.
    """
    shape = tuple(like.data.shape) if kind == "volume" else tuple(like.data.shape[-2:])
    if options.mask == "hann":
        return Window(hann_window(shape), "Hann's window over the whole width")
    if options.mask == "none":
        return Window(torch.ones(shape), "none: edges leak over the spectrum")
    if options.mask == "sphere":
        side, size = min(shape), like.pixel_size or 1.0
        diameter = (options.mask_diameter or _DIAMETER * side * size) / size
        weight = soft_ball(shape, diameter, _EDGE * side)
        what = f"{'ball' if kind == 'volume' else 'disc'} of {diameter * size:.4g} "
        what += f"{'Å' if like.pixel_size else 'pixels'} with a cosine edge of {_EDGE * side:.3g} "
        what += "pixels"
    else:
        weight, what = _from_file(like, kind, options), Path(options.mask).name
    return Window(weight, what, weight >= 0.5, weight <= 0)


def make_wedge(like: Compared, options: CompareOptions) -> tuple[Tensor | None, str]:
    """Mark the frequencies that a tilt series has seen, and say which; None if all count."""
    if options.tilts is None:
        return None, ""
    if isinstance(options.tilts, str):
        tilts = read_tilts(options.tilts).tilts_deg
        if len(tilts) < 2:
            raise input_error(options.tilts, "one angle only, expected two at least")
    else:
        tilts = torch.tensor(options.tilts, dtype=torch.float64)
    nz, ny, nx = like.data.shape
    return wedge_mask((nz, ny, nx), tilts), f"{tilts.min():g}° to {tilts.max():g}° about y"


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
    if low < 0 or not 0.5 <= high <= 1.001:
        raise input_error(path, f"a mask has values of 0 to 1, got {low:.4g} to {high:.4g}")
    if bool(((weight == 0) | (weight == 1)).all()):
        logger.warning(
            "%s: its edges are hard, which makes any two files agree: soften them by some pixels",
            Path(path).name,
        )
    return weight.double()
