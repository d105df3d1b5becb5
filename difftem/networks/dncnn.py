"""A plain stack of convolutions that estimates the noise."""

from torch import Tensor, nn
from torch.nn import functional as F

from difftem.networks.blocks import SLOPE, conv, fill_he, pad_to_lattice
from difftem.networks.reach import Interval, through_convolutions


class DnCNN(nn.Module):
    """Stack of 3 x 3 convolutions and LeakyReLUs, whose result is added to one of its inputs.

    Without the batch normalisation of the original, whose statistics are of a dose and break
    f(a x) = a f(x).

    Parameters
    ----------
    depth : int
        Convolutions: a pixel sees ``2 depth + 1`` pixels a side, each of `unshuffle` a side.
    channels : int
        Between them.
    in_channels : int
        1: whitened counts, to which the estimated noise is added; 2: and a linear estimate, to
        which what is found is added. The last layer starts at zero.
    bias : bool
        Let convolutions add constants.
    unshuffle : int
        Pixels a side that the convolutions take for one.
    residual : bool
        Add the result to the last input, and start at it; without, it is the estimate itself.

    Raises
    ------
    ValueError
        For a number out of range.

    References
    ----------
    Zhang et al., IEEE Trans. Image Process. 26 (2017) 3142; Mohan et al., ICLR (2020): no biases.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import DnCNN, computed_field
    >>> network = DnCNN(depth=5, channels=8)
    >>> tuple(network(torch.randn(1, 2, 32, 32)).shape), computed_field(network).most
    ((1, 1, 32, 32), 11)
    """

    def __init__(
        self,
        depth: int = 17,
        channels: int = 64,
        in_channels: int = 2,
        bias: bool = False,
        unshuffle: int = 1,
        residual: bool = True,
    ) -> None:
        super().__init__()
        least_of = (("depth", depth, 2), ("channels", channels, 1), ("unshuffle", unshuffle, 1))
        for name, value, least in least_of:
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if in_channels not in (1, 2):
            raise ValueError(f"in_channels must be 1 or 2, got {in_channels}")
        self.config = {
            "depth": depth,
            "channels": channels,
            "in_channels": in_channels,
            "bias": bias,
            "unshuffle": unshuffle,
            "residual": residual,
        }
        self.in_channels, self.lattice, self.depth = in_channels, unshuffle, depth
        self.residual = residual
        folded = unshuffle**2
        layers: list[nn.Module] = []
        for i in range(depth - 1):
            layers += [conv(channels if i else folded * in_channels, channels, bias)]
            layers += [nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers)
        self.tail = conv(channels, folded, bias)
        fill_he(self)
        if residual:
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
        ny, nx = inputs.shape[-2:]
        folded = F.pixel_unshuffle(pad_to_lattice(inputs, self.lattice), self.lattice)
        found = F.pixel_shuffle(self.tail(self.layers(folded)), self.lattice)[..., :ny, :nx]
        return found + inputs[:, -1:] if self.residual else found

    def sees(self, pixels: Interval) -> Interval:
        """Name the pixels of the input that pixels of the output depend on."""
        side = self.lattice
        first, last = through_convolutions((pixels[0] // side, pixels[1] // side), self.depth)
        return side * first, side * last + side - 1
