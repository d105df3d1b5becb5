"""A plain UNet at full resolution."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftem.networks.blocks import SLOPE, conv, fill_he, pad_to_lattice
from difftem.networks.reach import Interval, through_levels


class UNet(nn.Module):
    """UNet of a few convolutions a level, averages down, nearest neighbours up, skips joined.

    Parameters
    ----------
    channels : sequence of int
        Of each level, finest first.
    in_channels : int
        1: whitened counts; 2: and a linear estimate, to which the network adds.
    bias : bool
        Let convolutions add constants. Without, f(a x) = a f(x) for a > 0.
    residual : bool
        Add the result to the last input, and start at it. Default: of two inputs.
    convolutions : int or sequence of int
        Of each level on its way down, and again on its way up.

    Raises
    ------
    ValueError
        For a number out of range.

    References
    ----------
    Ronneberger et al., MICCAI (2015).

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import UNet
    >>> network = UNet(channels=(8, 16))
    >>> tuple(network(torch.randn(1, 1, 32, 32)).shape)
    (1, 1, 32, 32)
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128, 128),
        in_channels: int = 1,
        bias: bool = True,
        residual: bool | None = None,
        convolutions: int | Sequence[int] = 2,
    ) -> None:
        super().__init__()
        if not channels or min(channels) < 1:
            raise ValueError(f"channels must be at least 1 on each level, got {[*channels]}")
        if in_channels not in (1, 2):
            raise ValueError(f"in_channels must be 1 or 2, got {in_channels}")
        each = [convolutions] * len(channels) if isinstance(convolutions, int) else [*convolutions]
        if len(each) != len(channels) or min(each) < 1:
            raise ValueError(
                f"convolutions must be at least 1 on each of {len(channels)} levels, got {each}"
            )
        self.residual = in_channels == 2 if residual is None else residual
        self.config = {
            "channels": list(channels),
            "in_channels": in_channels,
            "bias": bias,
            "residual": self.residual,
            "convolutions": convolutions if isinstance(convolutions, int) else each,
        }
        self.in_channels, self.lattice = in_channels, 2 ** (len(channels) - 1)
        self.convolutions = each
        before = [in_channels, *channels[:-1]]
        self.encoder = nn.ModuleList(
            _stage(a, b, n, bias) for a, b, n in zip(before, channels, each, strict=True)
        )
        self.decoder = nn.ModuleList(
            _stage(fine + coarse, fine, n, bias)
            for (fine, coarse), n in zip(pairwise(channels), each, strict=False)
        )
        self.tail = nn.Conv2d(channels[0], 1, 1, bias=bias)
        fill_he(self)
        if self.residual:
            nn.init.zeros_(self.tail.weight)

    def forward(
        self,
        inputs: Tensor,  # (b, in_channels, y, x)
    ) -> Tensor:  # (b, 1, y, x)
        """Denoise images of any size: reflected to a multiple of `lattice` inside."""
        if inputs.ndim != 4 or inputs.shape[1] != self.in_channels:
            raise ValueError(
                f"inputs must be (b, {self.in_channels}, y, x), got {tuple(inputs.shape)}"
            )
        ny, nx = inputs.shape[-2:]
        x, skips = pad_to_lattice(inputs, self.lattice), []
        for level, stage in enumerate(self.encoder):
            x = stage(F.avg_pool2d(x, 2) if level else x)
            skips.append(x)
        for level in reversed(range(len(self.decoder))):
            wide = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.decoder[level](torch.cat([wide, skips[level]], 1))
        found: Tensor = self.tail(x)[..., :ny, :nx]
        return found + inputs[:, -1:] if self.residual else found

    def sees(self, pixels: Interval) -> Interval:
        """Name the pixels of the input that pixels of the output depend on."""
        return through_levels(pixels, self.convolutions, self.convolutions[:-1])


def _stage(channels_in: int, channels_out: int, number: int, bias: bool) -> nn.Module:
    """Convolutions one after the other, each with its activation."""
    layers: list[nn.Module] = []
    for i in range(number):
        layers += [conv(channels_out if i else channels_in, channels_out, bias)]
        layers += [nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)
