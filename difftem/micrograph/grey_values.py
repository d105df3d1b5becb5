"""What grey values tell before any spectrum: counts, a picture's 8 bits, saturation."""

import math

import torch
from torch import Tensor

_SAMPLE = 1 << 16
_MOST_VALUES = 2000  # different ones; counts of more are told from grey values by nothing
_WHOLE = 1e-3
_BYTE = 256
_PILE, _PILE_RATIO = 30, 1.5  # pixels at the end of the range, and their ratio to those before it
_BEFORE = 0.1  # standard deviations
_SATURATED = 1e-4  # of the pixels


def check_exposures(
    exposures: Tensor,  # (n, y, x) grey values
) -> None:
    """Refuse exposures without noise: not finite, constant, or the same image twice.

    Parameters
    ----------
    exposures : Tensor
        Shape ``(n, y, x)``.

    Raises
    ------
    ValueError
        In one line, with what to do.
    """
    if exposures.ndim != 3 or not exposures.numel():
        raise ValueError(f"exposures must have shape (n, y, x), got {tuple(exposures.shape)}")
    for i, image in enumerate(exposures):
        which = f"exposure {i + 1} of {len(exposures)}" if len(exposures) > 1 else "the image"
        finite = torch.isfinite(image)
        if not bool(finite.any()):
            raise ValueError(f"{which} has no pixel that is a number: write it again")
        if not bool(finite.all()):
            raise ValueError(
                f"{which} has {int((~finite).sum())} pixels that are NaN or infinite: repair them "
                "first"
            )
        if float(image.min()) == float(image.max()):
            raise ValueError(
                f"{which} is constant (every pixel is {float(image[0, 0]):g}): there is nothing to "
                "denoise"
            )
        if i and torch.equal(image, exposures[i - 1]):
            raise ValueError(
                f"exposures {i} and {i + 1} are the same image: give exposures with noise of their "
                "own, or one of them"
            )


def value_step(
    image: Tensor,  # (y, x)
) -> float | None:
    """Find the step of which all grey values are multiples.

    Parameters
    ----------
    image : Tensor
        Grey values.

    Returns
    -------
    float or None
        None where values are finer than counts could be.
    """
    flat = image.flatten()
    values = torch.unique(flat[:: max(1, flat.numel() // _SAMPLE)]).double()
    if not 2 <= len(values) <= _MOST_VALUES:
        return None
    step = float((values[1:] - values[:-1]).min())
    multiple = values / step
    # The finest difference of rounded numbers is a little off: the largest value corrects it.
    step *= float(multiple.abs().max() / multiple.abs().max().round().clamp(min=1))
    multiple = flat.double() / step
    return step if float((multiple - multiple.round()).abs().max()) < _WHOLE else None


def is_byte_picture(
    image: Tensor,  # (y, x)
) -> bool:
    """Tell whether grey values are the whole numbers that 8 bits hold.

    Parameters
    ----------
    image : Tensor
        Grey values.

    Returns
    -------
    bool
        Counts of few electrons are such numbers, too.
    """
    low, high = float(image.min()), float(image.max())
    in_range = (low >= 0 and high < _BYTE) or (low >= -_BYTE / 2 and high < _BYTE / 2)
    return in_range and bool((image == image.round()).all())


def saturated(
    image: Tensor,  # (y, x)
    electrons: float,
) -> str | None:
    """Say that grey values are cut off at an end of their range.

    Noise thins out towards its extremes; here more pixels have the extreme value than values just
    inside it. Pixels without an electron, ``exp(-electrons)`` of all, are no such pile.

    Parameters
    ----------
    image : Tensor
        Grey values.
    electrons : float
        Per pixel, about.

    Returns
    -------
    str or None
        One line.
    """
    spread = _BEFORE * float(image.double().std())
    for sign, end in ((1.0, "highest"), (-1.0, "lowest")):
        side = sign * image
        extreme = float(side.max())
        pile = int((side == extreme).sum())
        if pile < max(_PILE, _SATURATED * image.numel()):
            continue
        inside = side[side < extreme]
        width = max(spread, extreme - float(inside.max()))
        before = int((inside >= extreme - width).sum())
        empty = extreme == 0 and pile < 2 * math.exp(-electrons) * image.numel()
        if pile > _PILE_RATIO * before and not (sign < 0 and empty):
            return (
                f"{100 * pile / image.numel():.2g} % of the pixels have the {end} grey value "
                f"({sign * extreme:g}): the image is clipped"
            )
    return None
