"""A straight edge in an image: where it is and how it is turned."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d

_SMOOTHING = 4.0  # pixels
_STRAIGHT = 0.5  # coherence of the gradients, 0 for noise and 1 for one straight edge
_STEPS = 12
_REACH = 40.0  # pixels from the edge that are fitted
_OFF_GRID = 1.0  # degrees from the grid or its diagonal that an oversampled profile needs


@dataclass(frozen=True)
class Edge:
    """A straight edge: ``x cos + y sin = position``, from the middle ``(n - 1) / 2`` on.

    Attributes
    ----------
    angle_deg : float
        Of the normal that points to the dark side, from +x towards +y, in (-180, 180].
    position : float
        Pixels along the normal.
    bright, dark : float
        Grey values of the two sides.
    coherence : float
        1 where all gradients point the same way.

    Examples
    --------
    >>> from difftem.micrograph.edge import Edge
    >>> edge = Edge(angle_deg=0.5, position=0.0, bright=100.0, dark=0.0, coherence=0.98)
    >>> edge.is_straight, edge.note is None  # it lies too near to the grid
    (True, False)
    """

    angle_deg: float
    position: float
    bright: float
    dark: float
    coherence: float

    @property
    def is_straight(self) -> bool:
        """Whether there is one straight edge at all."""
        return self.coherence > _STRAIGHT

    @property
    def note(self) -> str | None:
        """What makes the edge unfit for an oversampled profile, or None."""
        off = self.angle_deg % 45
        if min(off, 45 - off) < _OFF_GRID:
            return (
                f"the edge's normal is at {self.angle_deg:.2f}°, within {_OFF_GRID:g}° of the grid "
                "or its diagonal: the profile cannot be sampled finer than the pixels"
            )
        return None


def distance(
    shape: tuple[int, int],
    angle_deg: float,
    position: float = 0.0,
) -> Tensor:  # (y, x) float64
    """Distance of each pixel from an edge, along its normal, in pixels.

    Examples
    --------
    >>> from difftem.micrograph.edge import distance
    >>> distance((1, 5), angle_deg=0.0)[0].tolist()  # pixels, from an edge in the middle
    [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    y, x = (torch.arange(n, dtype=torch.float64) - (n - 1) / 2 for n in shape)
    angle = math.radians(angle_deg)
    return math.cos(angle) * x + math.sin(angle) * y[:, None] - position


def find_edge(
    image: Tensor,  # (y, x)
) -> Edge:
    r"""Find the edge that divides an image.

    The structure tensor of the smoothed image gives the direction: noise is isotropic and adds
    nothing to it. Angle and position are then refined by least squares with the model
    :math:`m + \tfrac{s}{2} \operatorname{erf}(d / w)`, whose symmetry leaves them unbiased
    whatever the true profile, as long as that is symmetric.

    Parameters
    ----------
    image : Tensor
        Grey values, finite, at least 32 pixels wide.

    Returns
    -------
    Edge
        Look at `Edge.is_straight`.

    Examples
    --------
    >>> import torch
    >>> from difftem.micrograph.edge import distance, find_edge
    >>> image = 50 * torch.erfc(distance((64, 64), angle_deg=5.0, position=2.0) / 2)
    >>> edge = find_edge(image)
    >>> round(edge.angle_deg, 1), round(edge.position, 1), round(edge.bright)
    (5.0, 2.0, 100)
    """
    gradient_y, gradient_x = _gradients(image.double())
    xx, yy = gradient_x.square().mean(), gradient_y.square().mean()
    xy = (gradient_x * gradient_y).mean()
    coherence = torch.hypot(xx - yy, 2 * xy) / (xx + yy).clamp(min=1e-300)
    angle = 0.5 * math.degrees(math.atan2(2 * float(xy), float(xx - yy)))
    strength = torch.hypot(gradient_x, gradient_y) ** 4
    inner = distance((gradient_x.shape[0], gradient_x.shape[1]), angle)
    position = float((strength * inner).sum() / strength.sum())
    return _refine(image.double(), angle, position, float(coherence))


def _refine(image: Tensor, angle: float, position: float, coherence: float) -> Edge:
    """Gauss-Newton fit of an erf edge: middle, half step, position, angle, width."""
    shape = (image.shape[0], image.shape[1])
    start = distance(shape, angle, position)
    low, high = image[start < 0].mean(), image[start > 0].mean()
    middle, half, width = float(low + high) / 2, float(high - low) / 2, 3.0
    near = start.abs() < _REACH
    image = image[near]
    for _ in range(_STEPS):
        d = distance(shape, angle, position)[near]
        along = distance(shape, angle + 90)[near]  # d grows by this per radian
        step = torch.erf(d / width)
        slope = half * 2 / math.sqrt(math.pi) * torch.exp(-((d / width) ** 2))
        columns = [torch.ones_like(d), step, -slope / width, slope * along / width]
        jacobian = torch.stack([*columns, -slope * d / width**2], -1)
        residual = image - middle - half * step
        normal = jacobian.T @ jacobian
        normal = normal + 1e-9 * torch.diag(normal.diagonal() + 1e-300)
        change = torch.linalg.solve(normal, jacobian.T @ residual).tolist()
        middle, half = middle + change[0], half + change[1]
        position += max(-2.0, min(2.0, change[2]))
        angle += max(-2.0, min(2.0, math.degrees(change[3])))
        width = max(0.5, min(20.0, width + max(-0.5 * width, min(0.5 * width, change[4]))))
    if half > 0:  # turn the normal to the dark side
        angle, position, half = angle + 180, -position, -half
    angle = 180 - (180 - angle) % 360
    return Edge(angle, position, middle - half, middle + half, coherence)


def _gradients(image: Tensor) -> tuple[Tensor, Tensor]:
    """Smooth an image with a Gaussian and differentiate along y and x."""
    reach = math.ceil(3 * _SMOOTHING)
    offset = torch.arange(-reach, reach + 1, dtype=image.dtype)
    smooth = torch.exp(-(offset**2) / (2 * _SMOOTHING**2))
    smooth = smooth / smooth.sum()
    slope = offset / _SMOOTHING**2 * smooth

    def filtered(along_y: Tensor, along_x: Tensor) -> Tensor:
        rows = conv2d(image[None, None], along_y[None, None, :, None])
        return conv2d(rows, along_x[None, None, None, :])[0, 0]

    return filtered(slope, smooth), filtered(smooth, slope)
