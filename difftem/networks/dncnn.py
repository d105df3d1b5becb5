"""A plain stack of convolutions that estimates the noise."""

from torch import Tensor, nn

from difftem.networks.blocks import SLOPE, conv, fill_he


class DnCNN(nn.Module):
    """Stack of 3 x 3 convolutions and LeakyReLUs, whose result is added to one of its inputs.

    Without the batch normalisation of the original, whose statistics are of a dose and break
    f(a x) = a f(x).

    Parameters
    ----------
    depth : int
        Convolutions: a pixel sees ``2 depth + 1`` of its neighbours a side.
    channels : int
        Between them.
    in_channels : int
        1: whitened counts, to which the estimated noise is added; 2: and a linear estimate, to
        which what is found is added. The last layer starts at zero.
    bias : bool
        Let convolutions add constants.

    Raises
    ------
    ValueError
        For a number out of range.

    References
    ----------
    Zhang et al., IEEE Trans. Image Process. 26 (2017) 3142; Mohan et al., ICLR (2020): no biases.
    """

    def __init__(
        self, depth: int = 17, channels: int = 64, in_channels: int = 2, bias: bool = False
    ) -> None:
        super().__init__()
        for name, value, least in (("depth", depth, 2), ("channels", channels, 1)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if in_channels not in (1, 2):
            raise ValueError(f"in_channels must be 1 or 2, got {in_channels}")
        self.config = {
            "depth": depth,
            "channels": channels,
            "in_channels": in_channels,
            "bias": bias,
        }
        self.in_channels, self.lattice = in_channels, 1
        layers: list[nn.Module] = []
        for i in range(depth - 1):
            layers += [conv(channels if i else in_channels, channels, bias), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers)
        self.tail = conv(channels, 1, bias)
        fill_he(self)
        nn.init.zeros_(self.tail.weight)

    def forward(
        self,
        inputs: Tensor,  # (b, in_channels, y, x)
    ) -> Tensor:  # (b, 1, y, x)
        """Denoise images of any size."""
        if inputs.ndim != 4 or inputs.shape[1] != self.in_channels:
            raise ValueError(
                f"inputs must be (b, {self.in_channels}, y, x), got {tuple(inputs.shape)}"
            )
        result: Tensor = inputs[:, -1:] + self.tail(self.layers(inputs))
        return result
