"""The UNet that Noise2Noise was shown with."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftem.networks.blocks import SLOPE, conv, fill_he, pad_to_lattice


class Noise2NoiseUNet(nn.Module):
    """UNet of Lehtinen et al.: maxima down, nearest neighbours up, the input itself as last skip.

    By their table 2: two convolutions of 48 channels at full resolution, one at each of the coarser
    levels and one below the last maximum; up again two of 96 at each level; at full resolution 64
    and 32, and a linear one to the image. With biases, and without a linear estimate to start from.

    Parameters
    ----------
    channels : int
        On the way down; twice as many on the way up.
    levels : int
        Times that the sides are halved.
    last : sequence of int
        Channels of the last convolutions but one.

    Raises
    ------
    ValueError
        For a number out of range.

    References
    ----------
    Lehtinen et al., Noise2Noise, ICML (2018), table 2 of the appendix.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import Noise2NoiseUNet
    >>> network = Noise2NoiseUNet(channels=8, levels=2, last=(8, 8))
    >>> tuple(network(torch.randn(1, 1, 32, 32)).shape)
    (1, 1, 32, 32)
    """

    def __init__(self, channels: int = 48, levels: int = 5, last: Sequence[int] = (64, 32)) -> None:
        super().__init__()
        for name, value in (
            ("channels", channels),
            ("levels", levels),
            ("last", min(last, default=0)),
        ):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.config = {"channels": channels, "levels": levels, "last": list(last)}
        self.in_channels, self.lattice = 1, 2**levels
        one, wide = channels, 2 * channels
        self.encoder = nn.ModuleList(
            _stage([1, one, one] if level == 0 else [one, one]) for level in range(levels + 1)
        )
        skips = [1, *[one] * (levels - 1)]  # the input, then what is left after each maximum
        below = [*[wide] * (levels - 1), one]
        up = [[*last] if level == 0 else [wide, wide] for level in range(levels)]
        self.decoder = nn.ModuleList(
            _stage([a + b, *c]) for a, b, c in zip(skips, below, up, strict=True)
        )
        self.tail = conv(last[-1], 1, True)
        fill_he(self)

    def forward(
        self,
        inputs: Tensor,  # (b, 1, y, x)
    ) -> Tensor:  # (b, 1, y, x)
        """Denoise whitened images of any size: reflected to a multiple of `lattice` inside."""
        if inputs.ndim != 4 or inputs.shape[1] != 1:
            raise ValueError(f"inputs must be (b, 1, y, x), got {tuple(inputs.shape)}")
        ny, nx = inputs.shape[-2:]
        x = pad_to_lattice(inputs, self.lattice)
        skips = [x]
        for stage in list(self.encoder)[:-1]:
            x = F.max_pool2d(stage(x), 2)
            skips.append(x)
        x = self.encoder[-1](skips.pop())
        for stage in reversed(self.decoder):
            wide = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = stage(torch.cat([wide, skips.pop()], 1))
        found: Tensor = self.tail(x)[..., :ny, :nx]
        return found


def _stage(channels: Sequence[int]) -> nn.Module:
    """Convolutions one after the other, each with its activation."""
    layers: list[nn.Module] = []
    for a, b in pairwise(channels):
        layers += [conv(a, b, True), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)
