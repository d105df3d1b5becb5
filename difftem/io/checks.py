"""Checks on the grey values of a file: sign, overflow, depth, clipping."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.errors import input_error

_SAMPLE = 1_000_000  # pixels that decide on the sign
_CLIPPED = 1e-4  # fraction of pixels at an extreme value that is no accident
EIGHT_BIT = "8-bit image"  # how the note begins
_COUNTING = 64  # grey values below this are electrons, not an image scaled to 8 bits


def unwrap(data: NDArray[np.generic]) -> tuple[NDArray[np.generic], list[str]]:
    """Undo a confusion of signed and unsigned integers, and sums that ran over.

    Of the two readings of the same bits, the wrong one tears the histogram in two pieces at
    opposite ends of the range. The other reading is taken if it halves the standard deviation.

    Parameters
    ----------
    data : ndarray
        Any shape, in the dtype of the file.

    Returns
    -------
    data : ndarray
        As it was, or the values meant.
    notes : list of str
        What was done.
    """
    if data.dtype.kind not in "iu" or data.dtype.itemsize > 2 or data.dtype == np.uint8:
        return data, []
    bits = 8 * data.dtype.itemsize
    other = data.view(np.dtype(f"{'u' if data.dtype.kind == 'i' else 'i'}{data.dtype.itemsize}"))
    sample = slice(None, None, max(1, data.size // _SAMPLE))
    spread, spread_other = (float(a.reshape(-1)[sample].std()) for a in (data, other))
    if spread == 0 or spread_other > 0.5 * spread:
        return data, []
    if data.dtype.kind == "i":
        note = f"signed {bits}-bit values are unsigned ones (MRC mode {'1' if bits == 16 else '0'} "
        return other, [note + "written for mode 6): read as unsigned"]
    if other.reshape(-1)[sample].mean() > 0:
        return other, [f"unsigned {bits}-bit values are signed ones (MRC mode 6): read as signed"]
    wrapped = float((other >= 0).mean())
    note = f"integer overflow: {wrapped:.2%} of the values ran over 2^{bits} and were put back"
    return other.astype(np.int32) + 2**bits, [note]


def check_values(path: str | Path, data: NDArray[np.generic]) -> list[str]:
    """Refuse images without information, and say what is doubtful about others.

    Parameters
    ----------
    path : str or Path
        For messages.
    data : ndarray
        ``(n, y, x)``; may hold NaN.

    Returns
    -------
    list of str
        One line per doubt.

    Raises
    ------
    InputError
        For complex data, a constant image, or one without a single finite value.
    """
    if data.dtype.kind not in "iuf":
        raise input_error(path, f"expected real grey values, got {data.dtype}")
    for index, image in enumerate(data):
        which = f" {index + 1} of {len(data)}" if len(data) > 1 else ""
        values = image if image.dtype.kind != "f" else image[np.isfinite(image)]
        if values.size == 0:
            raise input_error(path, f"image{which} has no finite value")
        if values.min() == values.max():
            raise input_error(path, f"constant image{which}: every pixel is {values.min():g}")
    values = data if data.dtype.kind != "f" else data[np.isfinite(data)]
    low, high = values.min(), values.max()
    at_low, at_high = float((values == low).mean()), float((values == high).mean())
    if data.dtype.itemsize == 1 and (high >= _COUNTING or low < 0):
        return [
            f"{EIGHT_BIT}: {at_low:.3%} of the pixels at the lowest value {low:g}, {at_high:.3%} "
            f"at the highest {high:g}; rounding adds white noise of 1/12: use the unscaled data"
        ]
    at_low, at_high = clipped_shares(values)
    notes = []
    if at_low > _CLIPPED:
        notes.append(f"clipped: {at_low:.3%} of the pixels at the lowest value {low:g}")
    if at_high > _CLIPPED:
        notes.append(f"clipped: {at_high:.3%} of the pixels at the highest value {high:g}")
    return notes


def clipped_shares(values: NDArray[np.generic]) -> tuple[float, float]:
    """Fractions of pixels at the lowest and at the highest value, where they are clipped there.

    Parameters
    ----------
    values : ndarray
        Finite, not constant.

    Returns
    -------
    tuple of float
        0 where the next value is as frequent, or where few electrons pile up at 0.
    """
    low, high = values.min(), values.max()
    at_low, at_high = float((values == low).mean()), float((values == high).mean())
    if (low == 0 and float(values.mean()) < 10) or (
        at_low <= 2 * (values == values[values > low].min()).mean()
    ):
        at_low = 0.0
    if at_high <= 2 * (values == values[values < high].max()).mean():
        at_high = 0.0
    return at_low, at_high
