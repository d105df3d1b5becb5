"""Random particles: smooth maps without a structure behind them."""

import math

import torch
from torch import Tensor


def random_map(
    shape: tuple[int, int, int],
    contrast: float,  # V
    smoothness: float,
    *,
    positive: bool = False,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:  # (nz, ny, nx) V
    r"""Random map with a power law in Fourier space, inside an ellipsoid that fills the box.

    Independent normal coefficients of standard deviation

    .. math:: s(\boldsymbol\xi) = \left(|\boldsymbol\xi|^2 + 1 + \frac{2}{1+p}\right)^{-1-p}

    are transformed, made positive if asked by :math:`M \to \sqrt{M^2 + c^2} - c` with c a tenth of
    the rms, and faded by :math:`1 + \cos \pi r^4` to the ellipsoid r = 1. The mean of
    :math:`|M|` over the ellipsoid is the contrast.

    Parameters
    ----------
    shape : tuple of int
        ``(nz, ny, nx)`` voxels.
    contrast : float
        Mean absolute value in V; negative inverts the map.
    smoothness : float
        p: 0 is rough, large is smooth.
    positive : bool
        No value of the other sign.
    generator : torch.Generator, optional
        Source of all randomness.
    dtype : torch.dtype
        Of the result.

    Returns
    -------
    Tensor
        In V, shape ``(nz, ny, nx)``.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234; the manual of TEM-simulator 1.3.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.functional.phantom import random_map
    >>> generator = torch.Generator().manual_seed(0)
    >>> values = random_map((8, 8, 8), 5.0, smoothness=1.0, positive=True, generator=generator)
    >>> round(values.sum().item() / (math.pi / 6 * 8**3), 3)  # mean in the ball: the contrast
    5.0
    """
    if smoothness < 0 or min(shape) < 2:
        raise ValueError(
            f"need smoothness >= 0 and at least 2 voxels a side, got {smoothness} and {shape}"
        )
    device = generator.device if generator is not None else None
    nz, ny, nx = shape
    xi2, r2 = torch.zeros(()).double().to(device), torch.zeros(()).double().to(device)
    for axis, n in enumerate(shape):
        i = torch.arange(n, dtype=torch.float64, device=device)
        view = [-1 if other == axis else 1 for other in range(3)]
        order = torch.minimum(i, n - i)[: nx // 2 + 1 if axis == 2 else n]
        xi2 = xi2 + ((order * sum(shape) / (3 * n)) ** 2).view(view)
        r2 = r2 + ((2 * i / (n - 1) - 1) ** 2).view(view)
    spread = (xi2 + 1 + 2 / (1 + smoothness)) ** (-1 - smoothness)
    noise = torch.randn(
        2, nz, ny, nx // 2 + 1, generator=generator, dtype=torch.float64, device=device
    )
    spectrum = torch.complex(noise[0], noise[1]) * spread
    if positive:
        spectrum[0, 0, 0] = spread[0, 0, 0]
    values = torch.fft.irfftn(spectrum, s=shape, norm="forward")
    if positive:
        softness = 0.1 * values.square().mean().sqrt()
        values = torch.sqrt(values**2 + softness**2) - softness
    values = torch.where(r2 < 1, values * (1 + torch.cos(math.pi * r2**2)), 0.0)
    return (values * (contrast * values.numel() * math.pi / (6 * values.abs().sum()))).to(dtype)
