"""Mean squared error of an estimate without the truth: from copies with independent noise."""

from torch import Tensor


def unsupervised_error_map(
    estimate: Tensor,  # (y, x)
    copies: Tensor,  # (n, y, x)
    of_signal: Tensor | None = None,  # (k, y, x)
) -> Tensor:  # (y, x)
    r"""Squared error of an estimate in each pixel, unbiased, from copies that it has not seen.

    .. math:: f^2 - 2 f \bar c + \operatorname{mean}_{i \ne j}\; c_i c_j
              \;=\; \operatorname{mean}_{i \ne j}\; (c_i - f)(c_j - f)

    The last term is the power of the signal, the same for every estimate: copies that the estimate
    has seen serve for it too. For three copies it is `three_copy_error_map` averaged over all roles
    that the copies can take.
    Where noise of variance s² in the mean of all copies hides the error, its variance is
    2 n / (n - 1) s⁴ instead of 36 s⁴: the error bar is 3.5 times shorter.

    Parameters
    ----------
    estimate : Tensor
        f, shape ``(y, x)``.
    copies : Tensor
        Two or more images of one signal, their noise of mean 0 and independent of each other and
        of the estimate; shape ``(n, y, x)``. With `of_signal` one is enough.
    of_signal : Tensor, optional
        Two or more copies for the power of the signal, from all of the data, with noise independent
        of each other only; shape ``(k, y, x)``. Default: `copies`.

    Returns
    -------
    Tensor
        Its mean over pixels is the uMSE; single values may be negative. float64.

    Raises
    ------
    ValueError
        If there are less than two copies, or shapes differ.

    References
    ----------
    Marcos Morales et al., ICML (2023) 23937, definition of the uMSE.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.unsupervised_error import unsupervised_error_map
    >>> copies = 3 + torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> errors = (unsupervised_error_map(torch.full((64, 64), 3.0 + f), copies) for f in (1, 2))
    >>> [round(error.mean().item(), 1) for error in errors]  # 1² and 2², without the 3
    [1.0, 4.0]
    """
    power = copies if of_signal is None else of_signal
    _check(estimate, copies, 1)
    _check(estimate, power, 2)
    f, c, s = estimate.double(), copies.double().mean(0), power.double()
    shared = s.mean(0).square() - s.var(0, correction=1) / len(s)  # mean of s_i s_j over i != j
    return f * (f - 2 * c) + shared


def three_copy_error_map(
    estimate: Tensor,  # (y, x)
    copies: Tensor,  # (3, y, x)
) -> Tensor:  # (y, x)
    r"""Squared error of an estimate in each pixel as its inventors write it.

    .. math:: (a - f)^2 - \tfrac12 (b - c)^2

    Parameters
    ----------
    estimate : Tensor
        f, shape ``(y, x)``.
    copies : Tensor
        a, b and c, as of `unsupervised_error_map`, shape ``(3, y, x)``.

    Returns
    -------
    Tensor
        Of the same mean as `unsupervised_error_map`, and more scatter. float64.

    Raises
    ------
    ValueError
        If there are less than three copies, or shapes differ.

    References
    ----------
    Marcos Morales et al., ICML (2023) 23937, definition of the uMSE.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.unsupervised_error import three_copy_error_map
    >>> copies = 3 + torch.randn(3, 128, 128, generator=torch.Generator().manual_seed(0))
    >>> round(three_copy_error_map(torch.full((128, 128), 5.0), copies).mean().item())  # (5 - 3)²
    4
    """
    _check(estimate, copies, 3)
    a, b, c = copies[:3].double()
    return (a - estimate.double()).square() - (b - c).square() / 2


def block_means(
    values: Tensor,  # (y, x)
    block: int,
) -> Tensor:  # (blocks,)
    """Mean of each square block; rows and columns that fill no block are left out.

    Parameters
    ----------
    values : Tensor
        Shape ``(y, x)``.
    block : int
        Side in pixels.

    Returns
    -------
    Tensor
        Row by row.

    Raises
    ------
    ValueError
        If no block fits.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.unsupervised_error import block_means
    >>> block_means(torch.arange(20.0).reshape(4, 5), block=2).tolist()
    [3.0, 5.0, 13.0, 15.0]
    """
    if not 1 <= block <= min(values.shape):
        raise ValueError(
            f"block must be between 1 and the image's {min(values.shape)} pixels, got {block}"
        )
    ny, nx = (n // block for n in values.shape)
    cut = values[: ny * block, : nx * block].reshape(ny, block, nx, block)
    return cut.mean((1, 3)).flatten()


def _check(estimate: Tensor, copies: Tensor, least: int) -> None:
    """Refuse too few copies, and images of two sizes."""
    if copies.ndim != 3 or len(copies) < least:
        raise ValueError(
            f"copies must be {least} images (n, y, x) or more, got shape {tuple(copies.shape)}"
        )
    if copies.shape[1:] != estimate.shape:
        raise ValueError(
            f"copies and estimate must have one shape, got {tuple(copies.shape[1:])} and "
            f"{tuple(estimate.shape)}"
        )
