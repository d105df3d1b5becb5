"""An estimate on several scales: what is small and strong, and what is large and weak."""

import math

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer

SIGMAS = (0.0, 2.0, 4.0, 8.0, 16.0)  # pixels
_SIDE = 20  # of the widest blur in an image's shorter side


def on_scales(
    estimate: Tensor,  # (y, x)
) -> list[tuple[float, Tensor]]:  # pixels, (y, x)
    """Flatten an estimate and blur it by Gaussians of several widths.

    Parameters
    ----------
    estimate : Tensor
        In whitened units.

    Returns
    -------
    list of (float, Tensor)
        Standard deviation of the blur in pixels, 0 first, and what it leaves.
    """
    flat = estimate - surface(estimate)
    q = radius(frequency_grid((flat.shape[0], flat.shape[1]), 1.0, half=True, device=flat.device))
    widest = min(flat.shape) / _SIDE
    return [(0.0, flat)] + [
        (sigma, apply_transfer(flat, torch.exp(-2 * (math.pi * sigma * q) ** 2).to(flat)))
        for sigma in SIGMAS[1:]
        if sigma <= widest
    ]


def surface(
    estimate: Tensor,  # (y, x)
) -> Tensor:  # (y, x)
    """Fit the quadratic surface of uneven light, each pixel's influence bounded.

    Parameters
    ----------
    estimate : Tensor
        In whitened units.

    Returns
    -------
    Tensor
        The surface.
    """
    ny, nx = estimate.shape
    y = torch.linspace(-1, 1, ny, dtype=torch.float64, device=estimate.device)[:, None]
    x = torch.linspace(-1, 1, nx, dtype=torch.float64, device=estimate.device)
    step_y, step_x = max(1, ny // 256), max(1, nx // 256)
    ones = torch.ones(ny, nx, dtype=torch.float64, device=estimate.device)
    terms = [ones, y * ones, x * ones, y * x, (y * y) * ones, (x * x) * ones]
    design = torch.stack([term[::step_y, ::step_x].flatten() for term in terms], 1)
    values = estimate[::step_y, ::step_x].double().flatten()
    weight = torch.ones_like(values)
    coefficients = torch.zeros(len(terms), dtype=torch.float64, device=estimate.device)
    for _ in range(5):
        normal = design.T @ (weight[:, None] * design)
        coefficients = torch.linalg.solve(normal, design.T @ (weight * values))
        rest = values - design @ coefficients
        scale = 1.5 * rest.abs().median() + 1e-12
        weight = (scale / rest.abs().clamp(min=1e-12)).clamp(max=1.0) ** 2
    total = torch.zeros_like(ones)
    for coefficient, term in zip(coefficients, terms, strict=True):
        total += coefficient * term
    return total.to(estimate)
