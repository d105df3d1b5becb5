"""What makes numbers a transfer function of a detector."""

import math

import numpy as np
from numpy.typing import NDArray

NYQUIST = 0.5  # cycles/pixel
_DIAGONAL = math.sqrt(0.5)  # highest frequency of an image
_FURTHEST = 1.05 * _DIAGONAL
# Published curves start at 0.9995 to 1; one off by more is not normalised.
_TOLERANCE_AT_ZERO = 0.05
# Noise is stronger at high frequencies where counting loses electrons that come close together.
_MOST = {"MTF": 1.1, "NTF": 2.0}


def curve_problem(
    frequency: NDArray[np.float64],  # (n,) cycles/pixel
    value: NDArray[np.float64],  # (n,)
    kind: str = "MTF",
) -> str | None:
    """Say why a curve is no transfer function that can be written.

    Parameters
    ----------
    frequency : ndarray
        Cycles/pixel.
    value : ndarray
        Transfer there.
    kind : str
        ``MTF`` or ``NTF``, for the message.

    Returns
    -------
    str or None
        One line; None if all is well.
    """
    if len(frequency) < 2:
        return f"an {kind} needs two points or more, got {len(frequency)}"
    for what, numbers in (("frequency", frequency), (kind, value)):
        if not np.isfinite(numbers).all():
            row = int((~np.isfinite(numbers)).argmax()) + 1
            return f"{what} must be a number, got {numbers[row - 1]} in row {row}"
    if not (np.diff(frequency) > 0).all():
        row = int((np.diff(frequency) <= 0).argmax()) + 2
        return (
            f"frequency must increase, got {frequency[row - 1]:g} after {frequency[row - 2]:g} "
            f"in row {row}"
        )
    if frequency[0] < 0 or frequency[0] > 0.05:
        return f"frequency must start near 0 cycles/pixel, got {frequency[0]:g}"
    if abs(value[0] - 1) > _TOLERANCE_AT_ZERO:
        return f"{kind} must be near 1 at frequency {frequency[0]:g}, got {value[0]:g}"
    return None


def measured_problem(
    frequency: NDArray[np.float64],  # (n,) cycles/pixel
    value: NDArray[np.float64],  # (n,)
    kind: str = "MTF",
) -> str | None:
    """Say why a curve from elsewhere is no transfer function by cycles/pixel.

    Parameters
    ----------
    frequency : ndarray
        Cycles/pixel.
    value : ndarray
        Transfer there.
    kind : str
        ``MTF`` or ``NTF``.

    Returns
    -------
    str or None
        One line; None if all is well.
    """
    if (problem := curve_problem(frequency, value, kind)) is not None:
        return problem
    most = _MOST[kind]
    if not ((value > 0) & (value <= most)).all():
        row = int((~((value > 0) & (value <= most))).argmax())
        return f"{kind} must be above 0 and at most {most:g}, got {value[row]:g} in row {row + 1}"
    if frequency[-1] > _FURTHEST:
        return (
            f"frequency reaches {frequency[-1]:g}, but cycles/pixel end at 0.5 (Nyquist), 0.707 "
            "along the diagonal: probably it is a fraction of Nyquist, or counts physical pixels "
            "of super-resolution images; detector.mtf_nyquist 1 reads it so, or halve the column"
        )
    return None
