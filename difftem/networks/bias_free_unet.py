"""The denoiser's network: a UNet without biases on pixel-unshuffled images."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from difftem.networks.blocks import SLOPE, ResidualBlock, conv, fill_he, pad_to_lattice
from difftem.networks.reach import Interval, through_convolutions, through_levels

CHANNELS, BLOCKS = (48, 64, 72, 72), (2, 1, 1, 1)


class BiasFreeUNet(nn.Module):
    r"""Add to a Wiener estimate what a UNet without biases finds in the counts.

    Nothing in it adds a constant, and its activation is positively homogeneous, so that
    :math:`f(a x) = a f(x)` for a > 0 and :math:`f(x) = J x` with the Jacobian J at x: each pixel
    of the result is a weighted sum of the input, with weights that adapt to it.

    Both inputs are pixel-unshuffled: a level sees as far as one of an ordinary UNet that is two
    levels deeper, at a sixteenth of the cost at full resolution, and the first layer averages many
    pixels of few counts. The last layer starts at zero: an untrained network is Wiener's filter.

    Parameters
    ----------
    channels : sequence of int
        Of each level, finest first; each level has half of the pixels a side of the one before.
    blocks : sequence of int
        Residual blocks on the way down through each level, and on the way up.
    unshuffle : int
        Pixels a side that the finest level takes for one.
    in_channels : int
        2: whitened counts, and a linear estimate to which the network adds. 1: without the latter,
        the network is the whole estimate.

    Raises
    ------
    ValueError
        For a number out of range.

    References
    ----------
    Mohan et al., ICLR (2020): networks without biases; Ronneberger et al., MICCAI (2015); Shi et
    al., CVPR (2016): pixel shuffle.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import BiasFreeUNet
    >>> network = BiasFreeUNet(channels=(8, 8), blocks=(1, 1))
    >>> counts_and_wiener = torch.randn(1, 2, 32, 32)
    >>> estimate = network(counts_and_wiener)
    >>> bool((estimate[:, 0] == counts_and_wiener[:, 1]).all())  # untrained: Wiener's filter
    True
    """

    def __init__(
        self,
        channels: Sequence[int] = CHANNELS,
        blocks: Sequence[int] = BLOCKS,
        unshuffle: int = 4,
        in_channels: int = 2,
    ) -> None:
        super().__init__()
        if not channels or min(channels) < 1:
            raise ValueError(f"channels must be at least 1 on each level, got {[*channels]}")
        if len(blocks) != len(channels) or min(blocks) < 1:
            raise ValueError(
                f"blocks must be at least 1 on each of {len(channels)} levels, got {[*blocks]}"
            )
        if unshuffle < 1:
            raise ValueError(f"unshuffle must be at least 1, got {unshuffle}")
        if in_channels not in (1, 2):
            raise ValueError(f"in_channels must be 1 or 2, got {in_channels}")
        self.config = {
            "channels": list(channels),
            "blocks": list(blocks),
            "unshuffle": unshuffle,
            "in_channels": in_channels,
        }
        self.unshuffle, self.in_channels, self.blocks = unshuffle, in_channels, list(blocks)
        self.lattice = unshuffle * 2 ** (len(channels) - 1)
        folded = unshuffle**2
        self.head = conv(in_channels * folded, channels[0])
        self.encoder = nn.ModuleList(_stage(c, n) for c, n in zip(channels, blocks, strict=True))
        self.down = nn.ModuleList(
            nn.Conv2d(fine, coarse, 2, 2, bias=False) for fine, coarse in pairwise(channels)
        )
        self.up = nn.ModuleList(
            nn.Conv2d(coarse, fine, 1, bias=False) for fine, coarse in pairwise(channels)
        )
        self.decoder = nn.ModuleList(
            _stage(c, n) for c, n in zip(channels[:-1], blocks[:-1], strict=True)
        )
        self.act = nn.LeakyReLU(SLOPE)
        self.tail = conv(channels[0], folded)
        fill_he(self)
        nn.init.zeros_(self.tail.weight)

    def forward(
        self,
        inputs: Tensor,  # (b, 2, y, x)
    ) -> Tensor:  # (b, 1, y, x)
        """Denoise.

        Parameters
        ----------
        inputs : Tensor
            Whitened counts with noise of variance 1, and Wiener's estimate from the whole image
            (`difftem.functional.wiener.wiener_estimate`). Of any size: inside it is reflected to a
            multiple of `lattice`.

        Returns
        -------
        Tensor
            Estimate of the whitened signal.
        """
        if inputs.ndim != 4 or inputs.shape[1] != self.in_channels:
            raise ValueError(
                f"inputs must be (b, {self.in_channels}, y, x), got {tuple(inputs.shape)}"
            )
        ny, nx = inputs.shape[-2:]
        whole = pad_to_lattice(inputs, self.lattice)
        found = self.between(self.head(F.pixel_unshuffle(whole, self.unshuffle)))[..., :ny, :nx]
        return found + inputs[:, 1:] if self.in_channels == 2 else found

    def between(
        self,
        x: Tensor,  # (b, c, y, x)
    ) -> Tensor:  # (b, 1, unshuffle y, unshuffle x)
        """Compute all that is behind the first layer."""
        skips = []
        for level, stage in enumerate(self.encoder):
            x = stage(x)
            if level < len(self.down):
                skips.append(x)
                x = self.down[level](x)
        for level in reversed(range(len(self.down))):
            wide = F.interpolate(self.up[level](x), scale_factor=2.0, mode="nearest")
            x = self.decoder[level](wide + skips[level])
        return F.pixel_shuffle(self.tail(self.act(x)), self.unshuffle)

    def sees(self, pixels: Interval) -> Interval:
        """Name the pixels of the counts that pixels of the output depend on."""
        side, twice = self.unshuffle, [2 * n for n in self.blocks]
        folded = through_convolutions((pixels[0] // side, pixels[1] // side), 1)
        first, last = through_convolutions(through_levels(folded, twice, twice[:-1]), 1)
        return side * first, side * last + side - 1


def _stage(channels: int, blocks: int) -> nn.Module:
    """Residual blocks one after the other."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
