"""The network for atoms: a UNet without biases, helped by what windows say of the lattice."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftem.functional.window_wiener import window_wiener
from difftem.networks.bias_free_unet import BiasFreeUNet
from difftem.networks.blocks import conv, fill_he, pad_to_lattice
from difftem.networks.reach import Interval

_CUTOFF = 0.24  # cycles per four pixels: 0.96 1/Å at 0.0623 Å


class LatticeUNet(BiasFreeUNet):
    """Add to Wiener estimates in windows what a UNet without biases finds in the counts.

    Crystals repeat: a frequency's power in a window tells more of a lattice than that of a ring
    does. The estimates of windows of several sides, on pixels that are as coarse as the finest
    level of the network, go into its first layer beside the counts; it starts as the last of them.

    Parameters
    ----------
    channels, blocks, unshuffle
        As of `BiasFreeUNet`.
    sides : sequence of int
        Of the windows, in pixels of the finest level, even.

    Raises
    ------
    ValueError
        For a number out of range.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import LatticeUNet
    >>> network = LatticeUNet(channels=(8, 8), blocks=(1, 1), sides=(8, 16))
    >>> tuple(network(torch.randn(1, 1, 64, 64)).shape)
    (1, 1, 64, 64)
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 56, 80, 96),
        blocks: Sequence[int] = (1, 2, 2, 2),
        unshuffle: int = 4,
        sides: Sequence[int] = (48, 96),
    ) -> None:
        super().__init__(channels, blocks, unshuffle, 1)
        if not sides or min(sides) < 8 or any(side % 2 for side in sides):
            raise ValueError(f"sides must be even and at least 8, got {[*sides]}")
        self.sides = list(sides)
        del self.config["in_channels"]
        self.config["sides"] = self.sides
        self.head = conv(unshuffle**2 + len(self.sides), channels[0])
        fill_he(self)
        nn.init.zeros_(self.tail.weight)

    def forward(
        self,
        inputs: Tensor,  # (b, 1, y, x)
    ) -> Tensor:  # (b, 1, y, x)
        """Denoise whitened counts of any size: reflected to a multiple of `lattice` inside."""
        if inputs.ndim != 4 or inputs.shape[1] != 1:
            raise ValueError(f"inputs must be (b, 1, y, x), got {tuple(inputs.shape)}")
        ny, nx = inputs.shape[-2:]
        folded = F.pixel_unshuffle(pad_to_lattice(inputs, self.lattice), self.unshuffle)
        helped = self._estimates(folded)
        found = self.between(self.head(torch.cat([folded, self.unshuffle * helped], 1)))
        start = F.interpolate(
            helped[:, -1:], scale_factor=float(self.unshuffle), mode="bilinear", align_corners=False
        )
        return (found + start)[..., :ny, :nx]

    def _estimates(self, folded: Tensor) -> Tensor:  # (b, sides, y, x)
        """Estimate the mean of every pixel of the finest level by windows."""
        with torch.autocast(folded.device.type, enabled=False):
            coarse = self.unshuffle * folded.float().mean(1)  # its noise has variance 1
            cutoff = _CUTOFF * self.unshuffle / 4
            found = [window_wiener(coarse, side, min(cutoff, 0.5)) for side in self.sides]
            return torch.stack(found, 1) / self.unshuffle

    def sees(self, pixels: Interval) -> Interval:
        """Name pixels beyond which the output depends on nothing: windows reach at most so far."""
        first, last = super().sees(pixels)
        reach = self.unshuffle * (max(self.sides) + 1)
        return first - reach, last + reach
