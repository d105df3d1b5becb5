"""Curves over the rings of a half grid: sums into rings, smooth neighbours, and back."""

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius


class Rings:
    """Rings of a half grid, one frequency step of the longer side apart.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` of the image.
    like : Tensor
        Gives type and device.

    Attributes
    ----------
    frequency : Tensor
        Of each ring in cycles/pixel, shape ``(rings,)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.ring_curve import Rings
    >>> rings = Rings((8, 8), torch.zeros(1))
    >>> number = rings.total(torch.ones(8, 5))  # of frequencies in each ring
    >>> number[:3].tolist(), int(number.sum())  # 63: all but frequency 0
    ([0.0, 8.0, 12.0], 63)
    """

    def __init__(self, shape: tuple[int, int], like: Tensor) -> None:
        ny, nx = shape
        ring = radius(frequency_grid(shape, 1.0, half=True, device=like.device)) * max(shape)
        n = int(ring.max()) + 2
        self.frequency = torch.arange(n, device=like.device, dtype=like.dtype) / max(shape)
        self._index = ring.round().long().flatten()
        self._low = ring.floor().long()
        self._part = (ring - self._low).to(like.dtype)
        # Each value of the half grid stands for itself and its conjugate, but for two columns.
        weight = torch.full((ny, nx // 2 + 1), 2.0, device=like.device, dtype=like.dtype)
        weight[:, 0] = 1.0
        if nx % 2 == 0:
            weight[:, -1] = 1.0
        weight[0, 0] = 0.0
        self._weight = weight

    def total(
        self,
        values: Tensor,  # (..., y, x // 2 + 1)
    ) -> Tensor:  # (..., rings)
        """Sum over each ring of the whole plane; frequency 0 is left out."""
        zeros = values.new_zeros(*values.shape[:-2], len(self.frequency))
        return zeros.index_add(-1, self._index, (values * self._weight).flatten(-2))

    def neighbours(
        self,
        width: float,
        least: float = 0.3,
    ) -> Tensor:  # (rings, rings)
        """Weights that smooth rings over a constant part of their frequency, 1 on the diagonal.

        Parameters
        ----------
        width : float
            Standard deviation as a part of the frequency.
        least : float
            Smallest standard deviation in rings.

        Returns
        -------
        Tensor
            ``weights[i, j]`` of ring i in the value of ring j.
        """
        ring = torch.arange(len(self.frequency)).to(self.frequency)
        sigma = (width * ring).clamp(min=least)
        return torch.exp(-0.5 * ((ring[:, None] - ring) / sigma) ** 2)

    def spread(
        self,
        curve: Tensor,  # (..., rings)
    ) -> Tensor:  # (..., y, x // 2 + 1)
        """Interpolate a curve linearly between the rings."""
        return torch.lerp(curve[..., self._low], curve[..., self._low + 1], self._part)
