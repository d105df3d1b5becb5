"""Checks on the crops of a field: noise, and no more than electrons have."""

from collections.abc import Sequence

import torch
from torch import Tensor

from difftem.io.errors import input_error
from difftem.micrograph.box import Box

_FANO_LIMIT = 1.1  # variance over gain x mean; blur only lowers it


def check_crops(
    name: str,
    boxes: Sequence[Box],
    crops: Tensor,  # (e, n, y, x)
    means: Tensor,  # (e, n)
    known_gain: bool,
) -> None:
    """Refuse crops without noise, or without electrons where the gain is known.

    Parameters
    ----------
    name : str
        Of the field, for messages.
    boxes : sequence of Box
        Where the n crops are.
    crops : Tensor
        Exposures or their differences, shape ``(e, n, y, x)``.
    means : Tensor
        Mean grey values, shape ``(e, n)``.
    known_gain : bool
        Gain or dose were given.

    Raises
    ------
    InputError
        With what to do about it.
    """
    constant = crops.amax((-2, -1)) == crops.amin((-2, -1))
    if bool(constant.any()):
        exposure, index = torch.nonzero(constant)[0].tolist()
        box, value = boxes[index], float(crops[exposure, index, 0, 0])
        raise input_error(
            name,
            f"{int(constant.any(0).sum())} of {len(boxes)} crops of {box.size} pixels are constant "
            f"(at {box.x} {box.y} every pixel is {value:g}): take larger crops, add up frames, or "
            "give boxes",
        )
    if known_gain and not float(means.mean()) > 0:
        raise input_error(
            name,
            f"the mean grey value of the crops is {float(means.mean()):g}: not raw counts, so "
            "gain or dose cannot set the noise level; leave them out",
        )


def excess_noise(
    crops: Tensor,  # (n, y, x)
    means: Tensor,  # (n,)
    gain: float,
    read_noise: float,
) -> list[str]:
    """Note more variance than electrons can have, beside that of the readout.

    Parameters
    ----------
    crops : Tensor
        Shape ``(n, y, x)``.
    means : Tensor
        Mean grey values, shape ``(n,)``.
    gain : float
        Grey values per electron.
    read_noise : float
        Standard deviation of the readout in a crop, in grey values.

    Returns
    -------
    list of str
        A line, or none.
    """
    variance = crops.double().var((-2, -1)) - read_noise**2
    fano = float((variance / (gain * means)).median())
    if fano <= _FANO_LIMIT:
        return []
    return [
        f"the variance is {fano:.2f} times gain x mean, more than counted electrons have: is the "
        "gain too small (the dose too large), or is there structure?"
    ]
