"""The noise-free image whose noisy copies are nearest to exposures: in closed form."""

import torch
from torch import Tensor

from difftem.functional.mtf import apply_transfer

_LEAST_TRANSFER = 1e-6  # of the largest: a frequency that the camera does not pass has no optimum


def spread_energy(
    transfer: Tensor,  # (y, x // 2 + 1)
    shape: tuple[int, int],
) -> Tensor:  # ()
    r"""Sum of the squares of a point spread function, :math:`\|h\|^2`.

    Parameters
    ----------
    transfer : Tensor
        Its transform on the half grid of a real FFT.
    shape : tuple of int
        ``(y, x)`` of the image.

    Returns
    -------
    Tensor
        1 without blur.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave_fit import spread_energy
    >>> [spread_energy(torch.full((8, 5), h), (8, 8)).item() for h in (1.0, 0.5)]  # the mean of h²
    [1.0, 0.25]
    """
    dot = torch.zeros(shape, dtype=transfer.dtype, device=transfer.device)
    dot[0, 0] = 1.0
    return apply_transfer(dot, transfer).square().sum()


def expected_squared_error(
    rate: Tensor,  # (y, x) e/pixel
    exposures: Tensor,  # (n, y, x) e/pixel
    transfer: Tensor | None = None,  # (y, x // 2 + 1)
) -> Tensor:  # ()
    r"""Mean over exposures of the expected squared distance to a noisy copy of an image.

    .. math:: \frac1n \sum_k E\|y_k - h * C\|^2
              = \frac1n \sum_k \|y_k - h * I\|^2 + \|h\|^2 \sum_i I_i,
              \qquad C_i \sim \text{Poisson}(I_i)

    Write C = I + ε. The ε of two pixels are independent, have mean 0 and variance I, so that
    the cross term vanishes and :math:`E\|h * \epsilon\|^2 = \sum_{ij} h_{i-j}^2 I_j`.

    Parameters
    ----------
    rate : Tensor
        I, the noise-free image before the camera's blur, shape ``(y, x)``.
    exposures : Tensor
        y, grey values over gain, shape ``(n, y, x)``.
    transfer : Tensor, optional
        Transform of h on the half grid of a real FFT. Default: no blur.

    Returns
    -------
    Tensor
        Electrons², summed over pixels.

    References
    ----------
    Nguyen et al., DiffTEM, arXiv:2205.04464 (2022), the loss of its denoiser.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave_fit import expected_squared_error
    >>> exposures = torch.full((2, 4, 4), 10.0)  # e/pixel
    >>> expected_squared_error(torch.full((4, 4), 10.0), exposures).item()  # noise: 16 times 10
    160.0
    """
    shape = (rate.shape[-2], rate.shape[-1])
    blurred = rate if transfer is None else apply_transfer(rate, transfer)
    energy = 1.0 if transfer is None else spread_energy(transfer, shape)
    distance = (exposures - blurred).square().sum((-2, -1)).mean()
    return distance + energy * rate.sum()


def optimal_rate(
    exposures: Tensor,  # (n, y, x) e/pixel
    transfer: Tensor | None = None,  # (y, x // 2 + 1)
) -> Tensor:  # (y, x) e/pixel
    r"""Find the image with the least `expected_squared_error`: the average of its inputs.

    The exposures enter by their average alone, since :math:`\frac1n\sum_k\|y_k - z\|^2 =
    \|\bar y - z\|^2 + \text{const}`. Where the derivative vanishes,

    .. math:: 2 h^T * (h * I - \bar y) + \|h\|^2 = 0
              \quad\Longrightarrow\quad
              h * I = \bar y - \frac{\|h\|^2}{2 H(0)}

    because a constant passes :math:`h^T` as H(0) times itself. What the camera would show of the
    optimum is the average of the exposures less a constant: there is no prior that could tell
    signal from noise. The optimum itself is the average with the blur undone, noise amplified.

    Parameters
    ----------
    exposures : Tensor
        As of `expected_squared_error`, shape ``(n, y, x)``.
    transfer : Tensor, optional
        Transform of h, nowhere 0. Default: no blur.

    Returns
    -------
    Tensor
        Over all images; rates below 0, which no electron can have, are where an average is below
        the constant or blur was undone. Without blur each pixel is by itself, so that cutting at 0
        gives the best image among those that are nowhere negative.

    Raises
    ------
    ValueError
        If the camera passes nothing of a frequency.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave_fit import optimal_rate
    >>> exposures = torch.tensor([[[9.0, 12.0]], [[11.0, 8.0]]])  # e/pixel
    >>> optimal_rate(exposures).tolist()  # the average less one half
    [[9.5, 9.5]]
    """
    average = exposures.mean(0)
    if transfer is None:
        return average - 0.5
    size = transfer.abs()
    if not bool((size > _LEAST_TRANSFER * size.max()).all()):
        raise ValueError("transfer must not be 0 at any frequency: such an image has no optimum")
    energy = spread_energy(transfer, (average.shape[-2], average.shape[-1]))
    return apply_transfer(average - energy / (2 * transfer[0, 0]), 1 / transfer)
