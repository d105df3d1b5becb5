"""How an image repeats itself: its autocorrelation, and the steps at which that is high."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.analysis.atomic_columns import find_columns
from difftem.functional.hann import fade_to_edges


@dataclass(frozen=True, eq=False)
class Periodicity:
    """Repeats of an image.

    Attributes
    ----------
    autocorrelation : Tensor
        1 in the middle, pixel ``(y // 2, x // 2)``, shape ``(y, x)``.
    steps : Tensor
        x and y in pixels from the middle to maxima, nearest first, shape ``(n, 2)``; of each pair
        of opposite ones one.
    heights : Tensor
        Autocorrelation there, shape ``(n,)``.
    """

    autocorrelation: Tensor
    steps: Tensor
    heights: Tensor


def periodicity(
    image: Tensor,  # (y, x)
    pixel_size: float,  # Å
    *,
    reach: float = 12.0,  # Å
) -> Periodicity:
    """Correlate an image with itself, shifted; it fades to its edges.

    Parameters
    ----------
    image : Tensor
        Shape ``(y, x)``.
    pixel_size : float
        Å.
    reach : float
        Å, to which maxima are looked for.

    Returns
    -------
    Periodicity
        Without steps where nothing repeats.
    """
    ny, nx = image.shape
    faded = fade_to_edges(image.double() - image.double().mean())
    power = torch.fft.rfft2(faded, s=(2 * ny, 2 * nx)).abs().square()
    whole = torch.fft.fftshift(torch.fft.irfft2(power, s=(2 * ny, 2 * nx)))
    middle = (ny // 2, nx // 2)
    part = whole[ny - middle[0] : 2 * ny - middle[0], nx - middle[1] : 2 * nx - middle[1]]
    found = part / part[middle].clamp(min=1e-300)
    peaks = find_columns(found, pixel_size)
    steps = peaks.positions - torch.tensor([middle[1], middle[0]], dtype=torch.float64)
    length = steps.norm(dim=1)
    half = (steps[:, 1] > 0.5) | ((steps[:, 1].abs() <= 0.5) & (steps[:, 0] > 0))
    wanted = half & (length > 2) & (length < reach / pixel_size)
    order = length[wanted].argsort()
    kept = peaks.positions[wanted][order].round().long()
    return Periodicity(found, steps[wanted][order], found[kept[:, 1], kept[:, 0]])
