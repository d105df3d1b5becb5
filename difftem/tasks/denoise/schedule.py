"""Learning rate over a training of known length."""

import math
from collections.abc import Callable


def warm_up_cosine(
    warm_up: int,  # steps
    steps: float,
    least: float = 0.01,
) -> Callable[[int], float]:
    """Make the factor on the learning rate: a linear rise, then half a cosine to the end.

    Parameters
    ----------
    warm_up : int
        Steps of the rise.
    steps : float
        Of the whole training; infinite keeps the rate after the rise.
    least : float
        Factor at the end.

    Returns
    -------
    callable
        Gives the factor of a step, counted from 0.

    References
    ----------
    Loshchilov and Hutter, ICLR (2017), eq. 5.
    """

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        if not math.isfinite(steps) or steps <= warm_up:
            return 1.0
        done = min((step - warm_up) / (steps - warm_up), 1.0)
        return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * done))

    return factor
