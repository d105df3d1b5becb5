"""The MTF behind an edge spread: a smooth curve, fitted to it by least squares."""

import math

import torch
from torch import Tensor

# Knots of the curve, cycles/pixel: dense where cameras that scatter far fall, and another curve
# above Nyquist, because what is counted on a grid and blurred there ends at once.
_BELOW = (0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.36, 0.43, 0.5)
_ABOVE = (0.5, 0.625, 0.75, 0.875, 1.0, 1.25, 1.5)
_POINTS = 1000  # of the integral, per cycle/pixel and 64 pixels of distance: 16 for each turn
_LEAST_TURN = 1 / 3  # of a sine in the distance that is seen, for a knot of its own
_TURNS = 3  # of the fit, which moves the edge


def fit_edge_spread(
    distance: Tensor,  # (n,) pixels
    spread: Tensor,  # (n,) grey values
    variance: Tensor,  # (n,) grey values²
    frequency: Tensor,  # (m,) cycles/pixel
) -> Tensor:  # (m,)
    r"""Fit the curve whose edge spread agrees best with a measured one.

    .. math:: E(d) = m + \frac{s}{\pi} \int H(\omega) \frac{\sin 2\pi\omega d}{\omega} d\omega

    with H a natural cubic spline to Nyquist and another one from there to 1.5 cycles/pixel, H(0)
    = 1 and s half the step. The model is linear in m and s H but for the edge's place, which is
    moved by Gauss-Newton steps. Unlike the transform of the measured line spread this neither
    cuts off tails nor takes the noise of far bins into high frequencies.

    Parameters
    ----------
    distance : Tensor
        Of each bin from the edge, float64; dark is before bright.
    spread : Tensor
        Mean grey value in each bin.
    variance : Tensor
        Of that mean, up to a factor.
    frequency : Tensor
        Where the curve is wanted, up to 1.5.

    Returns
    -------
    Tensor
        H.

    References
    ----------
    Boone & Seibert, Med. Phys. 21 (1994) 1541, for the edge spread as an integral over the MTF.
    """
    reach = float(torch.minimum(distance.max(), -distance.min()).clamp(min=1.0))
    # What changes slower than the edge spread reaches is not there to be seen.
    knots = tuple(each for each in _BELOW if each == 0 or each * reach > _LEAST_TURN)
    weight = variance.clamp(min=1e-12 * float(variance.max()) + 1e-300).rsqrt()[:, None]
    place, solution = 0.0, spread.new_zeros(0)
    for _ in range(_TURNS):
        columns, slopes = _columns(distance - place, knots)
        if len(solution):  # derivative with respect to the place, at the last fit
            columns = torch.cat([columns, -(slopes @ solution)[:, None]], 1)
        fitted = torch.linalg.lstsq(weight * columns, weight * spread[:, None], driver="gelsd")
        values = fitted.solution.flatten()
        place += float(values[slopes.shape[1]]) if len(solution) else 0.0
        solution = values[: slopes.shape[1]]
    half_step = solution[1]  # H(0) times it
    below = _spline(knots, frequency) @ solution[1 : 1 + len(knots)]
    above = _spline(_ABOVE, frequency) @ solution[1 + len(knots) :]
    return torch.where(frequency <= _BELOW[-1], below, above) / half_step


def _columns(
    distance: Tensor,  # (n,)
    below: tuple[float, ...],
) -> tuple[Tensor, Tensor]:  # (n, p), (n, p)
    """Edge spread of the mean level and of each knot, and its slope."""
    values, slopes = [torch.ones_like(distance)[:, None]], [torch.zeros_like(distance)[:, None]]
    reach = max(float(distance.abs().max()) / 64, 1.0)
    for knots in (below, _ABOVE):
        width = knots[-1] - knots[0]
        n = math.ceil(_POINTS * width * reach)
        step = width / n
        at = knots[0] + step * (torch.arange(n, dtype=torch.float64, device=distance.device) + 0.5)
        basis = _spline(knots, at)
        phase = 2 * math.pi * distance[:, None] * at
        values.append(torch.sin(phase) @ (basis * (step * 2 / math.pi / at)[:, None]))
        slopes.append(torch.cos(phase) @ (basis * (step * 4)))
    return torch.cat(values, 1), torch.cat(slopes, 1)


def _spline(
    knots: tuple[float, ...],
    at: Tensor,  # (n,)
) -> Tensor:  # (n, knots)
    """Natural cubic splines that are 1 at one knot and 0 at the others."""
    x = torch.tensor(knots, dtype=torch.float64, device=at.device)
    n, h = len(x), x.diff()
    values = torch.eye(n, dtype=torch.float64, device=at.device)
    slopes = values.diff(dim=0) / h[:, None]
    matrix = torch.eye(n, dtype=torch.float64, device=at.device)
    right = torch.zeros_like(matrix)
    for i in range(1, n - 1):
        matrix[i, i - 1 : i + 2] = torch.stack([h[i - 1], 2 * (h[i - 1] + h[i]), h[i]])
        right[i] = 6 * (slopes[i] - slopes[i - 1])
    second = torch.linalg.solve(matrix, right)
    k = torch.searchsorted(x, at.contiguous(), right=True).clamp(1, n - 1) - 1
    t, width = (at - x[k])[:, None], h[k][:, None]
    cubic = (second[k + 1] - second[k]) / (6 * width) * t**3 + second[k] / 2 * t**2
    return values[k] + t * (slopes[k] - width * (2 * second[k] + second[k + 1]) / 6) + cubic
