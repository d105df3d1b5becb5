"""How far a denoised image is from the truth: a small network that is asked pixel by pixel."""

import math

import torch
from torch import Tensor, nn

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer

_LEAST = 1e-6  # of a mean square, in units of the noise's variance
_SIGMAS = (3.0, 12.0, 40.0)  # pixels
N_INPUTS = 13  # nine maps and four numbers
REACH = 128  # pixels from which a feature takes anything worth mentioning


class DeviationNetwork(nn.Module):
    """Standard deviation of a denoiser's error from what it made of an image, and where.

    A perceptron on logarithms of mean squares: of the estimate, its gradient, its detail and what
    it adds to Wiener's estimate, near the pixel, further around it and over the whole image.

    Parameters
    ----------
    width : int
        Of its two hidden layers.

    Examples
    --------
    >>> import torch
    >>> from difftem.networks import DeviationNetwork
    >>> network = DeviationNetwork(width=8)
    >>> tuple(network(torch.zeros(4, 4, 13)).shape)  # nine local features, four of the image
    (4, 4)
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        self.config = {"width": width}
        self.layers = nn.Sequential(
            nn.Linear(N_INPUTS, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )
        self.last = nn.Linear(width, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(
        self,
        features: Tensor,  # (..., 13)
    ) -> Tensor:  # (...)
        """Compute the logarithm of the standard deviation.

        Parameters
        ----------
        features : Tensor
            From `local_features` and `image_features`, in this order.

        Returns
        -------
        Tensor
            Of deviations in units of the noise's.
        """
        start = 0.5 * features[..., :1]  # as large as what is seen nearby
        return (start + self.last(self.layers(0.25 * features + 1.0)))[..., 0]


def local_features(
    estimate: Tensor,  # (y, x)
    wiener: Tensor,  # (y, x)
) -> Tensor:  # (9, y, x)
    """Logarithms of mean squares around each pixel.

    Parameters
    ----------
    estimate, wiener : Tensor
        Whitened, for noise of variance 1; of an image or a part of it with `REACH` around it.

    Returns
    -------
    Tensor
        Nine maps.
    """
    ny, nx = estimate.shape
    q = radius(frequency_grid((ny, nx), 1.0, half=True, device=estimate.device))
    blurs = [torch.exp(-2 * (math.pi * sigma * q) ** 2).to(estimate) for sigma in _SIGMAS]
    dy, dx = torch.gradient(estimate)
    square, gradient = estimate.square(), dy.square() + dx.square()
    detail = (estimate - apply_transfer(estimate, blurs[0])).square()
    added = (estimate - wiener).square()
    means = [
        *(apply_transfer(square, blur) for blur in blurs),
        square,
        apply_transfer(gradient, blurs[0]),
        apply_transfer(gradient, blurs[1]),
        apply_transfer(detail, blurs[1]),
        apply_transfer(added, blurs[1]),
        apply_transfer(wiener.square(), blurs[1]),
    ]
    return torch.stack(means).clamp(min=0).add(_LEAST).log()


def image_features(
    estimate: Tensor,  # (y, x)
    wiener: Tensor,  # (y, x)
) -> Tensor:  # (4,)
    """Logarithms of mean squares over an image.

    Parameters
    ----------
    estimate, wiener : Tensor
        As of `local_features`, of the whole image.

    Returns
    -------
    Tensor
        Four numbers.
    """
    dy, dx = torch.gradient(estimate)
    means = [estimate.square(), wiener.square(), (estimate - wiener).square(), dy * dy + dx * dx]
    return torch.stack([each.mean() for each in means]).add(_LEAST).log()
