"""What training minimises."""

from typing import Literal, get_args

import torch
from torch import Tensor

DenoisingLoss = Literal["supervised", "noise2noise", "count_split"]
DENOISING_LOSSES: tuple[str, ...] = get_args(DenoisingLoss)


def denoising_loss(
    kind: str,
    estimate: Tensor,  # (b, 1, y, x)
    target: Tensor,  # (b, 1, y, x)
    target_noise: Tensor | None = None,  # (b,)
    epsilon: float = 3e-4,
) -> Tensor:  # ()
    r"""Mean over images of a function of their mean squared error.

    ``supervised``: the target is the clean image, and the loss
    :math:`\langle\log(\text{MSE} + \epsilon)\rangle`: every image counts the same, whatever its
    dose, as do steps that divide its error by the same factor.

    ``noise2noise`` and ``count_split``: the target is another exposure, or the other part of the
    electrons of this one; its noise is independent of the input's, so that the MSE itself has its
    minimum where that to the clean image has. It is divided by the variance of the target's noise.

    Parameters
    ----------
    kind : {"supervised", "noise2noise", "count_split"}
        Which.
    estimate, target : Tensor
        Whitened values, in the units of the input.
    target_noise : Tensor, optional
        Variance of the target's noise in those units. Default: 1.
    epsilon : float
        Mean squared error in whitened values below which nothing is gained.

    Returns
    -------
    Tensor
        Loss.

    References
    ----------
    Lehtinen et al., ICML (2018): Noise2Noise; Batson and Royer, ICML (2019): independent splits.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.denoise import denoising_loss
    >>> clean = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> near = denoising_loss("supervised", clean + 0.1, clean)
    >>> far = denoising_loss("supervised", clean + 0.5, clean)
    >>> (near < far).item()
    True
    """
    error = (estimate - target).square().mean((-3, -2, -1))
    if kind == "supervised":
        return torch.log(error + epsilon).mean()
    return (error if target_noise is None else error / target_noise).mean()
