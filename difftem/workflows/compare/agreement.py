"""How far two files agree in rings or shells of Fourier space."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from difftem.functional.fourier_ring import ring_correlation, ring_frequencies, ring_products
from difftem.functional.fourier_shell import crossing, shell_products
from difftem.functional.soft_mask import masked
from difftem.metrics.truth_table import ring_number
from difftem.workflows.compare.load import Compared, Kind

_NOTHING = 1e-10  # of the densest power in a ring: what windows and filters leave
_WHICH: dict[Kind, Literal["first", "last"]] = {"volume": "first", "images": "last"}


@dataclass(frozen=True, eq=False)
class Agreement:
    """Fourier ring or shell correlation of two files.

    Attributes
    ----------
    name, against : str
        Of the files.
    sampled : bool
        Whether only frequencies count that a tilt series has seen.
    in_angstrom : bool
        Whether a pixel size is known.
    frequency : Tensor
        In 1/Å, or cycles/pixel where no pixel size is known, rising.
    correlation : Tensor
        Of each ring or shell.
    """

    name: str
    against: str
    sampled: bool
    in_angstrom: bool
    frequency: Tensor
    correlation: Tensor

    def crossing(self, threshold: float, kind: Kind, other: bool = False) -> tuple[float, bool]:
        """Frequency where it falls below a threshold, and whether it does not any more.

        Of volumes it is the first one, of images the last: a contrast transfer function has zeros.
        With `other` it is the other way round. 0 where the threshold is never reached.
        """
        which = _WHICH["images" if (kind == "volume") == other else "volume"]
        above = self.correlation >= threshold
        beyond = bool(above.all() if which == "first" else above[-1])
        return crossing(self.frequency, self.correlation, threshold, which), beyond


def agreement(
    first: Compared, second: Compared, kind: Kind, weight: Tensor, wedge: Tensor | None = None
) -> Agreement:
    """Correlate two files ring by ring (of a stack all images together), or shell by shell.

    `weight` is a mask in real space, `wedge` one of the frequencies of a volume. The correlation is
    0 in rings where one of them has nothing. `second` has the pixel size.
    """
    if kind == "volume":
        a, b = masked(first.data, weight), masked(second.data, weight)
        n = max(a.shape) // 2
        products = shell_products(a, b, n, wedge)
        counts, frequency = products[3], torch.arange(1, n + 1, dtype=torch.float64) / (2 * n)
    else:
        n = ring_number(first.data)
        products = torch.zeros(3, n, dtype=torch.float64)
        for one, other in zip(first.data, second.data, strict=True):
            products += ring_products(masked(one.double(), weight), masked(other, weight), n)
        frequency = ring_frequencies(n)
        counts = frequency  # pixels of a ring grow with its radius
    density = products[1:3] / counts.clamp(min=1e-12)
    there = (density > _NOTHING * density.amax(1, keepdim=True)).all(0)
    correlation, some, size = ring_correlation(products[:3]) * there, counts > 0, second.pixel_size
    return Agreement(
        first.name, second.name, wedge is not None, size is not None,
        (frequency / (size or 1.0))[some], correlation[some],
    )  # fmt: skip
