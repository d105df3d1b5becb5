"""Dose: from relative intensity to the expected number of electrons in each pixel."""

from torch import Tensor


def expected_counts(
    intensity: Tensor,  # (..., y, x)
    dose: Tensor,  # (...) e/Å²
    pixel_size: float,  # Å
) -> Tensor:  # (..., y, x) e/pixel
    r"""Mean number of electrons per pixel.

    .. math:: \lambda = N p^2 |\psi|^2

    Parameters
    ----------
    intensity : Tensor
        Relative to the incident beam, shape ``(..., y, x)``.
    dose : Tensor
        Fluence N in e/Å²; its shape broadcasts with the batch shape of `intensity`.
    pixel_size : float
        p in Å at the specimen.

    Returns
    -------
    Tensor
        Electrons per pixel, shape ``(..., y, x)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.dose import expected_counts
    >>> expected_counts(torch.ones(1, 2), torch.tensor(30.0), pixel_size=1.06)  # 30 e/Å²
    tensor([[33.7080, 33.7080]])
    """
    return intensity * (dose[..., None, None] * pixel_size**2)
