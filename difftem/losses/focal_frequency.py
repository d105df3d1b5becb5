"""Focal frequency loss, and the pairwise loss of the DiffTEM paper made of it."""

import torch
from torch import Tensor

from difftem.functional.focal_frequency import focal_frequency_distance


def focal_frequency_loss(
    image: Tensor,  # (..., y, x)
    target: Tensor,  # (..., y, x)
    gamma: float = 1.0,
) -> Tensor:  # ()
    r"""Squared differences of Fourier coefficients, weighted by their own size.

    .. math:: \operatorname{mean}_k\; w_k |F_k - G_k|^2, \qquad
              w_k = \frac{|F_k - G_k|^\gamma}{\max_j |F_j - G_j|^\gamma}

    The mean of `difftem.functional.focal_frequency.focal_frequency_distance` over the images.

    Parameters
    ----------
    image, target : Tensor
        Real, shape ``(..., y, x)``.
    gamma : float
        Exponent >= 0.

    Returns
    -------
    Tensor
        The loss.

    Raises
    ------
    ValueError
        If `gamma` is negative.

    References
    ----------
    Jiang, Dai, Wu & Loy, ICCV (2021) 13919, equations 7 to 9.

    Examples
    --------
    >>> import torch
    >>> from difftem.losses.focal_frequency import focal_frequency_loss
    >>> target = torch.zeros(1, 8, 8)
    >>> image = target + torch.cos(torch.pi / 4 * torch.arange(8))  # one wave more
    >>> round(focal_frequency_loss(image, target).item(), 3)  # its weight is 1: the squared error
    0.5
    """
    return focal_frequency_distance(image, target, gamma).mean()


def pairwise_loss(
    image: Tensor,  # (..., y, x)
    target: Tensor,  # (..., y, x)
    gamma: float = 1.0,
    focal_weight: float = 1.0,
    squared_weight: float = 1.0,
) -> Tensor:  # ()
    r"""Focal frequency loss plus mean squared error of two *independent* noisy images.

    The loss of the DiffTEM paper for a detector, kept to reproduce its figures. **It is
    inconsistent.** With independent noise the expectation has no cross term,
    :math:`E|F - G|^2 = s_0 H^2 + s_0 H_\text{true}^2`: it is smallest for H = 0, and not for
    :math:`H = H_\text{true}`. A fit started at the truth walks away from it towards a stronger
    blur, and more crops do not help. Fit with `difftem.losses.whittle` or
    `difftem.losses.log_spectrum`.

    Parameters
    ----------
    image, target : Tensor
        Simulated and measured noise, shape ``(..., y, x)``.
    gamma : float
        Exponent of `focal_frequency_loss`.
    focal_weight, squared_weight : float
        Weights of the two terms.

    Returns
    -------
    Tensor
        The loss.

    Examples
    --------
    >>> import torch
    >>> from difftem.losses.focal_frequency import pairwise_loss
    >>> simulated, measured = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> losses = [pairwise_loss(h * simulated, measured).item() for h in (1.0, 0.5, 0.0)]
    >>> sorted(losses, reverse=True) == losses  # no noise at all fits noise of variance 1 best
    True
    """
    squared = torch.mean((image - target) ** 2)
    return focal_weight * focal_frequency_loss(image, target, gamma) + squared_weight * squared
