"""Lines that a gain reference leaves: columns, rows, and the axes of the power spectrum."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from difftem.analysis.spectrum import power_spectrum

_TILE = 256  # pixels of a periodogram
_SIGMAS = 6.0
_EXCESS = 0.05  # of the power, below which nobody minds
_NEIGHBOURS = 15  # columns or rows that say what is usual
_LISTED = 5


@dataclass(frozen=True)
class Lines:
    """What is found in one image.

    Attributes
    ----------
    columns, rows : tuple of int
        Bright or dark ones.
    column_power, row_power : float
        Power at ω_y = 0 (columns) and ω_x = 0 (rows) over that beside it; 1 without lines.
    notes : list of str
        One line per direction in which there is something.
    """

    columns: tuple[int, ...]
    rows: tuple[int, ...]
    column_power: float
    row_power: float
    notes: list[str]


def find_lines(
    image: Tensor,  # (y, x)
) -> Lines:
    """Look for columns and rows that stand out, one by one and in the power spectrum.

    A column's mean is compared with the median of its 15 neighbours, in units of the robust
    spread of all columns (6 of them count). A pattern that repeats from row to row puts its power
    on the axis ω_y = 0 of the spectrum: the power there, from 0.05 cycles/pixel to Nyquist and
    over tiles with a Hann window, is compared with that three to six frequencies beside it.

    Parameters
    ----------
    image : Tensor
        Grey values, finite.

    Returns
    -------
    Lines
        Findings.
    """
    columns = _outliers(image.mean(-2))
    rows = _outliers(image.mean(-1))
    power = _mean_spectrum(image)
    notes = []
    excess = {}
    for name, axis, found, spectrum in (
        ("column", "y", columns, power),
        ("row", "x", rows, power.T),
    ):
        ratio, error = _axis_power(spectrum, image.numel() // power.numel())
        excess[name] = ratio
        on_axis = ratio - 1 > max(_EXCESS, _SIGMAS * error)
        if found or on_axis:
            listed = ", ".join(map(str, found[:_LISTED])) + (
                ", ..." if len(found) > _LISTED else ""
            )
            which = f"{len(found)} {name}s stand out ({listed})" if found else f"{name} pattern"
            lattice = "" if found else "; a crystal with planes along it looks alike"
            notes.append(
                f"gain reference lines: {which}, power at ω_{axis} = 0 is {ratio:.2f} of that "
                f"beside it; differences of exposures remove them, or leave the axes out{lattice}"
            )
    return Lines(columns, rows, excess["column"], excess["row"], notes)


def _outliers(profile: Tensor) -> tuple[int, ...]:
    """Return the indices whose value stands out from its neighbours."""
    half = _NEIGHBOURS // 2
    if len(profile) <= _NEIGHBOURS:
        return ()
    around = pad(profile[None, None], (half, half), mode="reflect")[0, 0].unfold(0, _NEIGHBOURS, 1)
    residual = profile - around.median(-1).values
    spread = 1.4826 * residual.abs().median()
    return tuple(torch.nonzero(residual.abs() > _SIGMAS * spread).flatten().tolist())


def _mean_spectrum(image: Tensor) -> Tensor:  # (t, t)
    """Mean periodogram of square tiles, with a Hann window against leakage onto the axes."""
    size = min(_TILE, *image.shape)
    tiles = image.unfold(0, size, size).unfold(1, size, size).reshape(-1, size, size)
    window = torch.hann_window(size, dtype=image.dtype)
    centered = tiles - tiles.mean((-2, -1), keepdim=True)
    return power_spectrum(centered * window[:, None] * window, half=False).mean(0)


def _axis_power(power: Tensor, n_tiles: int) -> tuple[float, float]:
    """Power on the first axis being 0 over that beside it, and the standard error of that."""
    n = len(power)
    frequencies = slice(max(2, n // 20), n // 2)
    beside = [k for d in range(3, 7) for k in (d, n - d)]
    expected = power[beside][:, frequencies].mean(0)
    ratio = (power[0, frequencies] / expected).mean()
    # A Hann window leaves about half of the frequencies independent.
    independent = max(1, n_tiles) * len(expected) / 2
    return float(ratio), float((1 + 1 / len(beside)) ** 0.5 / independent**0.5)
