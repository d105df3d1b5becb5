"""Total variation: images that are near to counts and change along short edges only."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from difftem.functional.cosine import cosine_transform, inverse_cosine_transform

# (values, step) -> values: the proximal map of what the data say
Proximal = Callable[[Tensor, float], Tensor]

_FIRM = 8.0  # coupling of image and gradients over the weight's square: the fastest of many

_FREE = 1e9  # a step after which the data alone are left


def poisson_proximal(
    whitened: Tensor,  # (y, x)
    electrons: float,
) -> Proximal:
    r"""Make the proximal map of the likelihood of counts, in whitened values.

    .. math:: F(e) = \sum_i \lambda_i - C_i \ln \lambda_i, \qquad
              \lambda = m + \sqrt{m}\, e, \quad C = m + \sqrt{m}\, x

    The minimum of :math:`F(e) + \|e - v\|^2 / 2t` solves a quadratic equation for λ in each pixel.

    Parameters
    ----------
    whitened : Tensor
        x, of counts that are nowhere negative.
    electrons : float
        m, per pixel.

    Returns
    -------
    callable
        Takes v and t.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.total_variation import poisson_proximal
    >>> whitened = torch.tensor([[-2.0, 0.0, 2.0]])  # 0, 4 and 8 electrons where 4 are expected
    >>> found = poisson_proximal(whitened, electrons=4.0)(torch.zeros(1, 3), 1e6)
    >>> [round(value, 2) for value in found[0].tolist()]  # a long step leads to the data
    [-2.0, 0.0, 2.0]
    """
    root = math.sqrt(electrons)
    counts = (electrons + root * whitened).clamp(min=0.0)

    def proximal(values: Tensor, step: float) -> Tensor:
        shifted = electrons + root * values - step * electrons
        product = 4 * step * electrons * counts
        size = shifted.abs() + (shifted.square() + product).sqrt()
        # Of the two forms of the root that are the same, the one that cancels no digits.
        rate = torch.where(shifted > 0, size, product / size.clamp(min=1e-30)) / 2
        return (rate - electrons) / root

    return proximal


def gaussian_proximal(
    whitened: Tensor,  # (y, x)
) -> Proximal:
    """Make the proximal map of half the squared distance from an image with noise of variance 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.total_variation import gaussian_proximal
    >>> proximal = gaussian_proximal(torch.tensor([[4.0]]))
    >>> [proximal(torch.zeros(1, 1), step).item() for step in (0.0, 1.0, 3.0)]
    [0.0, 2.0, 3.0]
    """
    return lambda values, step: (values + step * whitened) / (1 + step)


def smoothed_by_total_variation(
    proximal: Proximal,
    weight: float,
    start: Tensor,  # (y, x)
    iterations: int = 150,
    tolerance: float = 5e-4,
) -> Tensor:  # (y, x)
    r"""Minimise what the data say of an image plus a multiple of its total variation.

    .. math:: F(e) + w \sum_i \sqrt{(e_{i+x} - e_i)^2 + (e_{i+y} - e_i)^2}

    by alternating directions: the data, the gradients, and the image between them, which the
    cosine transform finds at once in the whole image (differences over an edge of the image are
    0: it goes on in its own mirror image). Counts that are 0 are no trouble.

    Parameters
    ----------
    proximal : callable
        Of F, such as `poisson_proximal`.
    weight : float
        w, in units of F over that of the image.
    start : Tensor
        Where to begin, shape ``(y, x)``: the smoother, the sooner it ends.
    iterations : int
        At most.
    tolerance : float
        Root mean square change and mismatch at which it ends, in units of the image.

    Returns
    -------
    Tensor
        Shape ``(y, x)``.

    Raises
    ------
    ValueError
        For a negative weight.

    References
    ----------
    Rudin, Osher and Fatemi, Physica D 60 (1992) 259; Setzer, Steidl and Teuber, J. Vis. Commun.
    Image R. 21 (2010) 193, algorithm PIDSplit+.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional import total_variation as tv
    >>> truth = torch.zeros(16, 16)
    >>> truth[:, 8:] = 5.0  # a step
    >>> noisy = truth + torch.randn(16, 16, generator=torch.Generator().manual_seed(0))
    >>> proximal = tv.gaussian_proximal(noisy)
    >>> found = tv.smoothed_by_total_variation(proximal, 1.0, noisy, iterations=20)
    >>> [round((image - truth).square().mean().item(), 1) for image in (noisy, found)]
    [0.9, 0.2]
    """
    if not weight >= 0:
        raise ValueError(f"weight must not be negative, got {weight}")
    if weight == 0:
        return proximal(start.double(), _FREE).to(start)
    firm = _FIRM * weight**2
    inverse = 1 / (1 + firm * _laplacian(start))
    image = data = start
    image_dual = torch.zeros_like(start)
    slope = differences(start)
    slope_dual = torch.zeros_like(slope)
    for _ in range(iterations):
        data = proximal(image + image_dual, 1.0)
        edges = _shrunk(slope + slope_dual, weight / firm)
        image_dual = image_dual + image - data
        slope_dual = slope_dual + slope - edges
        before = image
        wanted = data - image_dual + firm * differences_transposed(edges - slope_dual)
        image = inverse_cosine_transform(cosine_transform(wanted) * inverse)
        slope = differences(image)
        change = (image - before).square().mean() + (image - data).square().mean()
        if float(change) < tolerance**2:
            break
    return data


def differences(
    image: Tensor,  # (y, x)
) -> Tensor:  # (2, y, x)
    """Differences to the next row and the next column; 0 beyond the edge.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.total_variation import differences
    >>> down, right = differences(torch.tensor([[1.0, 3.0], [6.0, 10.0]]))
    >>> down.tolist(), right.tolist()
    ([[5.0, 7.0], [0.0, 0.0]], [[2.0, 0.0], [4.0, 0.0]])
    """
    down = torch.nn.functional.pad(image[1:] - image[:-1], (0, 0, 0, 1))
    right = torch.nn.functional.pad(image[:, 1:] - image[:, :-1], (0, 1))
    return torch.stack([down, right])


def differences_transposed(
    slopes: Tensor,  # (2, y, x)
) -> Tensor:  # (y, x)
    """Transpose of `differences`.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.total_variation import differences, differences_transposed
    >>> image, *slopes = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> slopes = torch.stack(slopes)
    >>> forward, back = (differences(image) * slopes).sum(), image * differences_transposed(slopes)
    >>> torch.allclose(forward, back.sum())
    True
    """
    down, right = slopes[0, :-1], slopes[1, :, :-1]
    result = torch.zeros_like(slopes[0])
    result[1:] += down
    result[:-1] -= down
    result[:, 1:] += right
    result[:, :-1] -= right
    return result


def total_variation(
    image: Tensor,  # (y, x)
) -> Tensor:  # ()
    """Sum of the lengths of an image's gradients.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.total_variation import total_variation
    >>> step = torch.zeros(4, 4)
    >>> step[:, 2:] = 5.0
    >>> total_variation(step).item()  # four pixels of edge, 5 high
    20.0
    """
    return torch.linalg.vector_norm(differences(image), dim=0).sum()


def _shrunk(slopes: Tensor, by: float) -> Tensor:  # (2, y, x)
    """Shorten gradients by a length, to 0 at least."""
    length = torch.linalg.vector_norm(slopes, dim=0)
    return slopes * (1 - by / length.clamp(min=1e-30)).clamp(min=0.0)


def _laplacian(image: Tensor) -> Tensor:  # (y, x)
    """Square of the differences, for each ordinate of the cosine transform."""
    ny, nx = image.shape
    y, x = (2 - 2 * torch.cos(math.pi / n * torch.arange(n).to(image)) for n in (ny, nx))
    return y[:, None] + x
