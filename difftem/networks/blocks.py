"""What the networks are made of."""

import math

from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.1  # of LeakyReLU below zero: steep enough that no channel dies


def conv(channels_in: int, channels_out: int, bias: bool = False) -> nn.Conv2d:
    """3 x 3 convolution that keeps the size."""
    return nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=bias)


class ResidualBlock(nn.Module):
    """Two convolutions of a LeakyReLU, added to their input.

    Without normalisation, which would see the amplitude; the second convolution starts small, so
    that a deep network starts near the identity.

    Parameters
    ----------
    channels : int
        In and out.
    bias : bool
        Let the convolutions add constants.
    """

    def __init__(self, channels: int, bias: bool = False) -> None:
        super().__init__()
        self.first, self.second = conv(channels, channels, bias), conv(channels, channels, bias)
        self.act_in, self.act_between = nn.LeakyReLU(SLOPE), nn.LeakyReLU(SLOPE)

    def forward(
        self,
        x: Tensor,  # (b, c, y, x)
    ) -> Tensor:  # (b, c, y, x)
        """Apply it."""
        return x + self.second(self.act_between(self.first(self.act_in(x))))


def fill_he(network: nn.Module) -> None:
    """Start convolutions with He's variance for a LeakyReLU, second ones of blocks at a fifth.

    References
    ----------
    He et al., ICCV (2015), eq. 15; Zhang et al., ICLR (2019), for small starts of residuals.
    """
    for name, each in network.named_modules():
        if isinstance(each, nn.Conv2d):
            fan_in = each.in_channels * math.prod(each.kernel_size)
            gain = 0.2 if name.endswith(".second") else 1.0
            nn.init.normal_(each.weight, std=gain * math.sqrt(2 / ((1 + SLOPE**2) * fan_in)))
            if each.bias is not None:
                nn.init.zeros_(each.bias)


def pad_to_lattice(
    image: Tensor,  # (b, c, y, x)
    lattice: int,  # pixels
) -> Tensor:  # (b, c, y', x')
    """Reflect an image beyond its far edges up to multiples of a lattice.

    Images smaller than the lattice's rest are repeated from their edge instead.
    """
    ny, nx = image.shape[-2:]
    bottom, right = -ny % lattice, -nx % lattice
    if not (bottom or right):
        return image
    mode = "reflect" if bottom < ny and right < nx else "replicate"
    return F.pad(image, (0, right, 0, bottom), mode=mode)
