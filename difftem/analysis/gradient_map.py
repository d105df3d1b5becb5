"""Rows of a denoiser's Jacobian: the weights with which it averages the counts for a pixel."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from difftem.functional.cosine import cosine_transform, inverse_cosine_transform
from difftem.functional.wiener import wiener_gain

# Whitened values (y, x) -> estimate (y, x), differentiable
ImageFunction = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class GradientMap:
    """One row of the Jacobian.

    Attributes
    ----------
    pixel : tuple of int
        (y, x) of the output.
    row : Tensor
        Derivative of the output by each input pixel, shape ``(y, x)``.
    value : float
        The output f, whitened.
    product : float
        The row times the input, Jx: f of networks without biases.
    """

    pixel: tuple[int, int]
    row: Tensor
    value: float
    product: float

    @property
    def net_bias(self) -> float:
        """What the output has besides Jx, whitened units: 0 of networks without biases."""
        return self.value - self.product

    @property
    def averaged_pixels(self) -> float:
        """Pixels whose noise is averaged: one over the sum of squared weights."""
        return 1 / max(float(self.row.double().square().sum()), 1e-300)

    def energy_beyond(self, radius: float) -> float:
        """Share of the squared weights that lies further away than some pixels."""
        energy = self.row.double().square()
        return float(energy[self.distance() > radius].sum() / energy.sum().clamp(min=1e-300))

    def energy_within(self, radii: Tensor) -> Tensor:  # (n,)
        """Share of the squared weights within each radius in pixels, shape ``(n,)``."""
        return torch.tensor([1 - self.energy_beyond(float(r)) for r in radii])

    def distance(self) -> Tensor:  # (y, x) px
        """Distance of every pixel to that of the output, in pixels."""
        y, x = (torch.arange(n, dtype=torch.float64) for n in self.row.shape)
        return torch.hypot(y[:, None] - self.pixel[0], x - self.pixel[1])

    def lobes(
        self,
        positions: Tensor,  # (n, 2) px
        radius: float,  # px
        reach: float,  # px
    ) -> float:
        """Mean squared weight on neighbouring columns over that of other pixels around.

        Parameters
        ----------
        positions : Tensor
            x and y of columns in pixels, shape ``(n, 2)``.
        radius : float
            Pixels around a column that count as it.
        reach : float
            Pixels around the output within which columns are neighbours; the inner half of the
            distance to the nearest of them is left out.

        Returns
        -------
        float
            1 of weights that do not care for columns; NaN without neighbours.
        """
        away = self.distance()
        energy = self.row.double().square()
        to_pixel = torch.hypot(positions[:, 0] - self.pixel[1], positions[:, 1] - self.pixel[0])
        near = positions[(to_pixel > 2 * radius) & (to_pixel < reach)].double()
        if not len(near):
            return float("nan")
        y, x = (torch.arange(n, dtype=torch.float64) for n in self.row.shape)
        on = torch.zeros_like(away, dtype=torch.bool)
        for px, py in near.tolist():
            on |= torch.hypot(y[:, None] - py, x - px) <= radius
        around = (away < reach + radius) & (away > float(to_pixel[to_pixel > 2 * radius].min()) / 2)
        between = around & ~on
        return float(energy[on].mean() / energy[between].mean().clamp(min=1e-300))


def network_function(
    network: nn.Module,
    values: Tensor,  # (y, x)
) -> ImageFunction:
    r"""Make a function of the counts alone of a network that may also see Wiener's estimate.

    That estimate is :math:`w = C^T G C x` with the cosine transform C and a gain G, which is kept
    as it is at `values`: the derivative goes through both inputs,

    .. math:: J = \partial_x f + C^T G C\, \partial_w f

    and f = Jx holds for networks without biases. (G follows the spectrum of the image; its own
    derivative tells how the amount of smoothing would change, not which pixels are averaged.)

    Parameters
    ----------
    network : Module
        ``(b, 1 or 2, y, x)`` to ``(b, 1, y, x)``; its ``in_channels`` says which.
    values : Tensor
        Whitened image at which the gain is taken, shape ``(y, x)``.

    Returns
    -------
    callable
        ``(y, x)`` to ``(y, x)``, differentiable.
    """
    if getattr(network, "in_channels", 2) == 1:
        return lambda x: network(x[None, None])[0, 0]
    smooth = wiener_function(values)
    return lambda x: network(torch.stack([x, smooth(x)])[None])[0, 0]


def wiener_function(
    values: Tensor,  # (y, x)
) -> ImageFunction:
    """Make Wiener's filter with the gain of an image: linear, and its own gradient map.

    Parameters
    ----------
    values : Tensor
        Whitened image whose gain is taken, shape ``(y, x)``.

    Returns
    -------
    callable
        ``(y, x)`` to ``(y, x)``.
    """
    gain = wiener_gain(cosine_transform(values.detach()))
    return lambda x: inverse_cosine_transform(cosine_transform(x) * gain)


def gradient_maps(
    function: ImageFunction,
    values: Tensor,  # (y, x)
    pixels: list[tuple[int, int]],
) -> list[GradientMap]:
    """Differentiate output pixels by all input pixels.

    Parameters
    ----------
    function : callable
        ``(y, x)`` to ``(y, x)``, differentiable: `network_function`, `wiener_function`.
    values : Tensor
        Whitened image, shape ``(y, x)``.
    pixels : list of tuple of int
        (y, x) of the outputs.

    Returns
    -------
    list of GradientMap
        One for each pixel.

    Raises
    ------
    ValueError
        For a pixel that is not in the image.
    """
    ny, nx = values.shape
    for y, x in pixels:
        if not (0 <= y < ny and 0 <= x < nx):
            raise ValueError(f"pixel x {x}, y {y} must lie in the image of {nx} x {ny} pixels")
    maps = []
    with torch.enable_grad():
        at = values.detach().clone().requires_grad_()
        output = function(at)
        for i, (y, x) in enumerate(pixels):
            (row,) = torch.autograd.grad(
                output[y, x], at, retain_graph=i + 1 < len(pixels), materialize_grads=True
            )
            product = float((row.double() * at.detach().double()).sum())
            maps.append(GradientMap((y, x), row.detach(), float(output.detach()[y, x]), product))
    return maps
