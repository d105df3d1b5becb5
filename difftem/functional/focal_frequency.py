"""Focal frequency distance of two images."""

import torch
from torch import Tensor


def focal_frequency_distance(
    image: Tensor,  # (..., y, x)
    target: Tensor,  # (..., y, x)
    gamma: float = 1.0,
) -> Tensor:  # (...)
    r"""Squared differences of Fourier coefficients, weighted by their own size, image by image.

    .. math:: \operatorname{mean}_k\; w_k |F_k - G_k|^2, \qquad
              w_k = \frac{|F_k - G_k|^\gamma}{\max_j |F_j - G_j|^\gamma}

    The weight is a constant for the gradient; its maximum is taken over each image. With
    ``gamma=0`` it is the mean squared error of the images (Parseval).

    Parameters
    ----------
    image, target : Tensor
        Real, shape ``(..., y, x)``.
    gamma : float
        Exponent >= 0.

    Returns
    -------
    Tensor
        0 for images that are the same.

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
    >>> from difftem.functional.focal_frequency import focal_frequency_distance
    >>> image, target = torch.randn(2, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> plain = focal_frequency_distance(image, target, gamma=0.0)  # the mean squared error
    >>> torch.allclose(plain, (image - target).square().mean())
    True
    >>> bool(focal_frequency_distance(image, target) < plain)
    True
    """
    if gamma < 0:
        raise ValueError(f"gamma must not be negative, got {gamma}")
    difference = torch.fft.fft2(image - target, norm="ortho")
    distance = difference.real**2 + difference.imag**2
    if gamma == 0:
        return distance.mean((-2, -1))
    weight = distance.detach() ** (gamma / 2)
    largest = weight.amax((-2, -1), keepdim=True)
    weight = weight / largest.clamp(min=torch.finfo(weight.dtype).tiny)
    return (weight * distance).mean((-2, -1))
