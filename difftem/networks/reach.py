"""Which pixels a network sees, computed from how it is built."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Interval = tuple[int, int]  # first and last pixel along one axis


class SeesPixels(Protocol):
    """A network that knows from which pixels along an axis its output pixels get their values."""

    lattice: int

    def sees(self, pixels: Interval) -> Interval:
        """Name the pixels of the input that pixels of the output depend on."""


class ComputedField(NamedTuple):
    """Sides in pixels of what an output pixel sees; it depends on the pixel's place on the lattice.

    Attributes
    ----------
    least, most : int
        Pixels seen along an axis.
    everything : int
        Of the smallest square around any output pixel that holds all it sees, as
        `difftem.networks.receptive_field` measures it.

    Examples
    --------
    >>> from difftem.networks import DnCNN, computed_field
    >>> field = computed_field(DnCNN(depth=5, channels=8))
    >>> field.least, field.most
    (11, 11)
    """

    least: int
    most: int
    everything: int


def computed_field(network: SeesPixels) -> ComputedField:
    """Compute how far a network sees.

    Parameters
    ----------
    network : SeesPixels
        Of this package; a second input (Wiener's estimate of the frame) counts as another image.

    Returns
    -------
    ComputedField
        Over all places on its lattice.

    Examples
    --------
    >>> from difftem.networks import UNet, computed_field
    >>> field = computed_field(UNet(channels=(8, 8)))
    >>> field.least <= field.most <= field.everything
    True
    """
    seen = [(p, *network.sees((p, p))) for p in range(network.lattice)]
    sides = [last - first + 1 for _, first, last in seen]
    reach = max(max(p - first, last - p) for p, first, last in seen)
    return ComputedField(min(sides), max(sides), 2 * reach + 1)


def through_convolutions(pixels: Interval, number: int) -> Interval:
    """Widen an interval by 3 x 3 convolutions."""
    return pixels[0] - number, pixels[1] + number


def through_levels(
    pixels: Interval,
    down: Sequence[int],
    up: Sequence[int],
) -> Interval:
    """Trace an interval of a UNet's finest output back to its finest input.

    Parameters
    ----------
    pixels : tuple of int
        First and last of the output.
    down, up : sequence of int
        3 x 3 convolutions of each level before it is halved, finest first, and after it was joined
        with what comes from below; the coarsest has none of the latter.

    Returns
    -------
    tuple of int
        First and last pixel of the input.
    """
    seen = []
    for level in range(len(down)):
        # Up to a level by nearest neighbours, and from there along the way down.
        if level < len(up):
            pixels = through_convolutions(pixels, up[level])
        back = through_convolutions(pixels, down[level])
        for finer in reversed(down[:level]):
            back = through_convolutions((2 * back[0], 2 * back[1] + 1), finer)
        seen.append(back)
        pixels = pixels[0] // 2, pixels[1] // 2
    return min(first for first, _ in seen), max(last for _, last in seen)
