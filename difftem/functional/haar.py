"""Haar's wavelets without normalisation: sums of counts are counts."""

import torch
from torch import Tensor

# Signs of (y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1) in the three details.
SIGNS = ((1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1))


def haar_analysis(
    image: Tensor,  # (..., y, x)
) -> tuple[Tensor, Tensor]:  # (..., y / 2, x / 2), (..., 3, y / 2, x / 2)
    r"""Take sums and differences of the four pixels of every square of two a side.

    .. math:: s = x_{00} + x_{01} + x_{10} + x_{11}, \qquad d_k = \sum_i \epsilon_{ki} x_i

    Of independent Poisson counts, s is a Poisson count again, and the variance of each d is the
    expected value of s.

    Parameters
    ----------
    image : Tensor
        Of even sides, shape ``(..., y, x)``.

    Returns
    -------
    sums : Tensor
        Shape ``(..., y / 2, x / 2)``.
    details : Tensor
        Left less right, top less bottom, and along the diagonals, ``(..., 3, y / 2, x / 2)``.

    Raises
    ------
    ValueError
        If a side is odd.

    References
    ----------
    Luisier, Vonesch, Blu and Unser, Signal Process. 90 (2010) 415, section 2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.haar import haar_analysis
    >>> sums, details = haar_analysis(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> sums.item(), details.flatten().tolist()
    (10.0, [-2.0, -4.0, 0.0])
    """
    if image.shape[-2] % 2 or image.shape[-1] % 2:
        raise ValueError(f"image must have even sides, got {tuple(image.shape)}")
    a, b = image[..., ::2, ::2], image[..., ::2, 1::2]
    c, d = image[..., 1::2, ::2], image[..., 1::2, 1::2]
    left, right, top, bottom = a + c, b + d, a + b, c + d
    details = torch.stack([left - right, top - bottom, (a + d) - (b + c)], -3)
    return top + bottom, details


def haar_synthesis(
    sums: Tensor,  # (..., y, x)
    details: Tensor,  # (..., 3, y, x)
) -> Tensor:  # (..., 2 y, 2 x)
    """Undo `haar_analysis`.

    Parameters
    ----------
    sums, details : Tensor
        As from `haar_analysis`.

    Returns
    -------
    Tensor
        Shape ``(..., 2 y, 2 x)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.haar import haar_analysis, haar_synthesis
    >>> sums, details = haar_analysis(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> haar_synthesis(sums, 0 * details)  # without its details
    tensor([[2.5000, 2.5000],
            [2.5000, 2.5000]])
    """
    result = sums.new_empty(*sums.shape[:-2], 2 * sums.shape[-2], 2 * sums.shape[-1])
    for i, signs in enumerate(zip(*SIGNS, strict=True)):
        part = sums
        for sign, detail in zip(signs, details.unbind(-3), strict=True):
            part = part + sign * detail
        result[..., i // 2 :: 2, i % 2 :: 2] = part / 4
    return result
