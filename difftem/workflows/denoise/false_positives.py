"""What a method makes of nothing: specks in blank windows that are put into the image itself."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from difftem.functional.blank import background_power, blank_exposures
from difftem.workflows.denoise.scales import on_scales

Method = Callable[[Tensor, float, torch.Generator | None], Tensor]

_WINDOW, _TAPER, _MARGIN = 512, 24, 72  # pixels
_NEAR = 9  # pixels within which two extremes are one speck
_TAIL = 30  # specks: the highest, whose heights fall exponentially
_ENOUGH_MPX, _MOST_ROUNDS = 1.0, 12


@dataclass(frozen=True, eq=False)
class FalsePositives:
    """Specks that a method leaves in blank windows, on each scale.

    Parameters
    ----------
    heights : mapping of float to Tensor
        Of the specks (extremes of the absolute estimate), in whitened units and falling, by the
        standard deviation in pixels of the blur that they are seen with.
    area_mpx : float
        Blank area that they lie in, in megapixels.
    blank : Tensor
        Estimate of one of the images with blank windows, shape ``(y, x)``.
    windows : Tensor
        True where that image is blank, shape ``(y, x)``.
    """

    heights: Mapping[float, Tensor]
    area_mpx: float
    blank: Tensor
    windows: Tensor

    def thresholds(self, per_mpx: float = 0.5) -> dict[float, float]:
        """Heights that less than so many specks of a blank megapixel reach, over all scales.

        Where the blank area is too small to hold them, the tail of the heights is continued as an
        exponential, which falls slower than a Gaussian's.

        Parameters
        ----------
        per_mpx : float
            Specks in each blank megapixel.

        Returns
        -------
        dict of float to float
            In whitened units, by the blur's standard deviation in pixels.
        """
        wanted = per_mpx * self.area_mpx / len(self.heights)
        return {sigma: _height_of(each, wanted) for sigma, each in self.heights.items()}


def find_false_positives(
    method: Method,
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    area_mpx: float = _ENOUGH_MPX,
    with_background: bool = True,
) -> FalsePositives:
    """Denoise the image with blank windows in it, and collect what appears in them.

    A quarter of the image is replaced by counting noise of its dose over a background as of the
    image's own quieter half: whatever the method takes from the whole image (spectra,
    normalisation, matching blocks) stays about as it is.

    Parameters
    ----------
    method : callable
        Of whitened exposures, electrons per pixel and a generator.
    exposures : Tensor
        Whitened, shape ``(n, y, x)``.
    electrons : float
        Mean electrons per pixel in each exposure.
    generator : torch.Generator, optional
        Source of all randomness.
    area_mpx : float
        Blank area to collect, in megapixels; twelve rounds at most.
    with_background : bool
        Give the windows the background's power besides the counting noise.

    Returns
    -------
    FalsePositives
        Their heights and one example.
    """
    n, ny, nx = exposures.shape
    background = None
    if with_background:
        frequency, power = background_power(exposures.mean(0) * math.sqrt(n))
        background = (frequency, 1 + (power - 1) / n)  # of one exposure
    heights: dict[float, list[Tensor]] = defaultdict(list)
    examples: list[tuple[Tensor, Tensor]] = []
    area, rounds = 0.0, 0
    while area < area_mpx and rounds < _MOST_ROUNDS:
        weight, inside = _windows((ny, nx), generator)
        fresh = blank_exposures((n, ny, nx), electrons, background, generator).to(exposures)
        weight, inside = weight.to(exposures), inside.to(exposures.device)
        # Weights whose squares add up to one keep the noise's variance.
        mixed = exposures * torch.sqrt(1 - weight) + fresh * torch.sqrt(weight)
        estimate = method(mixed, electrons, generator)
        for sigma, blurred in on_scales(estimate):
            heights[sigma].append(_speck_heights(blurred, inside))
        examples = examples or [(estimate, weight > 0.5)]
        area, rounds = area + float(inside.sum()) / 1e6, rounds + 1
    falling = {key: torch.cat(each).sort(descending=True).values for key, each in heights.items()}
    return FalsePositives(falling, area, *examples[0])


def _windows(
    shape: tuple[int, int], generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:  # (y, x) and (y, x) bool
    """Draw windows on a quarter of the image: their soft weight, and their insides."""
    side = min(_WINDOW, max(32, min(shape) // 2))
    margin, taper = min(_MARGIN, side // 5), min(_TAPER, side // 8)
    cell = 2 * side
    start = torch.randint(0, cell, (2,), generator=generator).tolist()
    places = [(torch.arange(n) + first) % cell for n, first in zip(shape, start, strict=True)]
    y, x = (torch.minimum(place, side - 1 - place).double() for place in places)
    depth = torch.minimum(y[:, None], x)
    weight = (0.5 - 0.5 * torch.cos(math.pi * ((depth + 1) / taper).clamp(0, 1))).float()
    return weight, depth >= margin


def _speck_heights(
    estimate: Tensor,  # (y, x)
    inside: Tensor,  # (y, x) bool
) -> Tensor:  # (specks,)
    """Heights of the local extremes of an estimate, where it is blank."""
    size = estimate.abs()
    rows = max_pool2d(size[None, None], (_NEAR, 1), 1, (_NEAR // 2, 0))
    peak = max_pool2d(rows, (1, _NEAR), 1, (0, _NEAR // 2))[0, 0]
    return size[(size == peak) & inside & (size > 0)].cpu()


def _height_of(heights: Tensor, wanted: float) -> float:
    """Height that this many specks reach, from the tail where there are fewer than ten."""
    if len(heights) == 0:
        return 0.0
    if wanted >= 10:
        return float(heights[min(int(wanted), len(heights) - 1)])
    n = min(_TAIL, len(heights) - 1)
    start = float(heights[n])
    slope = float((heights[:n] - start).mean()) if n else 0.0
    return start + slope * max(math.log(max(n, 1) / wanted), 0.0)
