"""What frequencies that were left out leave open: the scale of the whole curve."""

from dataclasses import replace

import torch
from torch import Tensor

from difftem.tasks.mtf_fit.result import MTFFitResult

MEASURED_FROM = 0.03  # cycles/pixel; from a higher start the family continues the curve to zero
_SPREAD = 0.075  # of the part that scatters far, as a standard deviation
_TAIL = 0.01  # cycles/pixel where that part has fallen to a half


def with_continuation(result: MTFFitResult) -> MTFFitResult:
    r"""Widen a band by what a camera may do below the lowest frequency of a fit.

    A curve that is 1 at zero is known up to a factor from the frequencies above a start; a smooth
    family chooses it. Cameras scatter a part τ of the signal so far that only lower frequencies
    would show it,

    .. math:: H(\omega) = H_{smooth}(\omega) [1 - \tau T(\omega)], \qquad
              T(\omega) = 1 - \frac{1}{1 + (\omega / 0.01)^2},

    which is added to the covariance as one more parameter with a standard deviation of 0.075.
    Even splines through published curves above 0.1 cycles/pixel are too high by .013 (K3), .02
    (Falcon 3EC and 4EC), .07 (K2) and .13 (DE-20), and the noise of a real Falcon 3EC was by .14
    above its published MTF: all of that is inside 95 %. With a known level the factor is known,
    and τ bends the curve between zero and the start only.

    Parameters
    ----------
    result : MTFFitResult
        With its statistical covariance.

    Returns
    -------
    MTFFitResult
        The same where the fit starts below 0.03 cycles/pixel.
    """
    start = float(result.spectrum.frequency[0])
    if start <= MEASURED_FROM:
        return result
    tail = _tail(result.frequency) / _tail(torch.tensor(start, dtype=torch.float64))
    if result.s0_error == 0:
        shape = (tail - (result.frequency / start) ** 2).clamp(min=0.0)
        shape = torch.where(result.frequency < start, shape, 0.0)
    else:
        shape = tail.clamp(max=1.0)
    direction = _SPREAD * shape * result.curve
    # A factor on the curve is two of them on the noise power at zero.
    of_level = 2 * _SPREAD * result.s0 if result.s0_error else 0.0
    return replace(
        result,
        curve_covariance=result.curve_covariance + torch.outer(direction, direction),
        s0_error=(result.s0_error**2 + of_level**2) ** 0.5,
    )


def _tail(
    frequency: Tensor,  # (...) cycles/pixel
) -> Tensor:  # (...)
    """T of `with_continuation`."""
    return 1 - 1 / (1 + (frequency / _TAIL) ** 2)
