"""Complex waves: their types, phases and intensities."""

import torch
from torch import Tensor


def complex_dtype(dtype: torch.dtype) -> torch.dtype:
    """Complex type whose parts have a real type; a complex type is its own."""
    return torch.promote_types(dtype, torch.complex64)


def phase_factor(
    phase: Tensor,  # (...) rad
) -> Tensor:  # (...) complex
    """Complex exponential of an imaginary number: cos + i sin, many times faster than exp."""
    return torch.complex(torch.cos(phase), torch.sin(phase))


def squared_modulus(
    wave: Tensor,  # (...) complex
) -> Tensor:  # (...)
    """Intensity of a wave: without the square root of ``abs``, whose gradient fails at 0."""
    return wave.real**2 + wave.imag**2
