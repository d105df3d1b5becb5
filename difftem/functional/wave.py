"""Complex waves: their types, phases and intensities."""

import torch
from torch import Tensor


def complex_dtype(dtype: torch.dtype) -> torch.dtype:
    """Complex type whose parts have a real type; a complex type is its own.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave import complex_dtype
    >>> complex_dtype(torch.float32), complex_dtype(torch.complex128)
    (torch.complex64, torch.complex128)
    """
    return torch.promote_types(dtype, torch.complex64)


def phase_factor(
    phase: Tensor,  # (...) rad
) -> Tensor:  # (...) complex
    """Complex exponential of an imaginary number: cos + i sin, many times faster than exp.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.functional.wave import phase_factor
    >>> factor = phase_factor(torch.tensor(math.pi / 3))
    >>> round(factor.real.item(), 3), round(factor.imag.item(), 3)
    (0.5, 0.866)
    """
    return torch.complex(torch.cos(phase), torch.sin(phase))


def squared_modulus(
    wave: Tensor,  # (...) complex
) -> Tensor:  # (...)
    """Intensity of a wave: without the square root of ``abs``, whose gradient fails at 0.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.wave import squared_modulus
    >>> squared_modulus(torch.tensor([3 + 4j, 0j])).tolist()
    [25.0, 0.0]
    """
    return wave.real**2 + wave.imag**2
