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

Which = Literal["first", "last"]
_NOTHING = 1e-10  # of the densest power in a ring: what windows and filters leave


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

    def crossing(self, threshold: float, which: Which) -> float:
        """Frequency where it falls below a threshold; 0 where it never reaches it."""
        return crossing(self.frequency, self.correlation, threshold, which)

    def is_above(self, threshold: float, which: Which) -> bool:
        """Whether it stays above a threshold up to the last frequency."""
        above = self.correlation >= threshold
        return bool(above.all() if which == "first" else above[-1])


def agreement(
    first: Compared,
    second: Compared,
    kind: Kind,
    pixel_size: float | None,
    weight: Tensor,
    wedge: Tensor | None = None,
) -> Agreement:
    """Correlate two files ring by ring, or shell by shell.

    Parameters
    ----------
    first, second : Compared
        Of one shape; the spectra of all images of a stack are added up.
    kind : {"images", "volume"}
        What they are.
    pixel_size : float or None
        Å.
    weight : Tensor
        Mask in real space.
    wedge : Tensor, optional
        Mask of frequencies, of volumes.

    Returns
    -------
    Agreement
        0 in rings where one of them has nothing.
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
    correlation = ring_correlation(products[:3]) * there
    some = counts > 0
    return Agreement(
        first.name,
        second.name,
        wedge is not None,
        pixel_size is not None,
        (frequency / (pixel_size or 1.0))[some],
        correlation[some],
    )
