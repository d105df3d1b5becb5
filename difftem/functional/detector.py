"""The detector after the electrons arrived: lost counts, gain, read noise."""

import torch
from torch import Tensor


def detected_rate(
    expected_counts: Tensor,  # (..., y, x) e/pixel
    dqe0: Tensor,  # () in (0, 1]
) -> Tensor:  # (..., y, x) e/pixel
    """Rate of the electrons that are counted: Bernoulli thinning of a Poisson process.

    Keeping each electron with probability DQE(0) leaves Poisson counts of a lower rate, so the
    signal-to-noise ratio squared at DC falls by exactly that factor.

    Parameters
    ----------
    expected_counts : Tensor
        Rate of the incident electrons per pixel.
    dqe0 : Tensor
        Detective quantum efficiency at zero frequency, in (0, 1].

    Returns
    -------
    Tensor
        Rate of the detected electrons per pixel.

    References
    ----------
    Rabbani, Shaw & Van Metter, J. Opt. Soc. Am. A 4 (1987) 895, selection stage.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.detector import detected_rate
    >>> detected_rate(torch.tensor([[20.0, 5.0]]), torch.tensor(0.8))  # DQE(0) = 0.8
    tensor([[16.,  4.]])
    """
    return expected_counts * dqe0


def add_read_noise(
    micrograph: Tensor,  # (..., y, x) grey values
    read_noise: Tensor,  # () grey values
    generator: torch.Generator | None = None,
) -> Tensor:  # (..., y, x) grey values
    """Add white Gaussian noise of the readout electronics.

    Parameters
    ----------
    micrograph : Tensor
        In grey values.
    read_noise : Tensor
        Standard deviation in grey values.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    Tensor
        Shape of `micrograph`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.detector import add_read_noise
    >>> dark = add_read_noise(
    ...     torch.zeros(256, 256), torch.tensor(3.0), torch.Generator().manual_seed(0)
    ... )
    >>> round(dark.std().item(), 1)
    3.0
    """
    noise = torch.randn(
        micrograph.shape,
        generator=generator,
        dtype=micrograph.dtype,
        device=micrograph.device,
    )
    return micrograph + read_noise * noise
