"""Bad pixels of an image of a knife edge: judged against the edge, not across it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftem.micrograph.bad_pixels import local_median, tail_limits
from difftem.micrograph.edge import Edge, distance, find_edge

EDGE_WIDTH = 8.0  # pixels on each side of the edge where only impossible values are mended
_CLAMP = 0.002  # of the pixels on either end, which must not lead the search for the edge
_FINE, _COARSE, _FINE_REACH = 0.5, 8.0, 32.0  # pixels: bins of the profile, near and far


def repair_edge(
    image: Tensor,  # (y, x)
) -> tuple[Tensor, Tensor, Edge]:  # (y, x), (y, x) bool
    """Replace bad pixels of a knife edge by the edge's own profile.

    The median of all pixels at one distance from the edge follows it, where a median of tiles
    cuts across. Pixels are judged by what is left, with the noise of the bright side, which is
    the largest; nearer than 8 pixels to the edge, where its shape is measured, only values beyond
    both sides and their noise, and those that are no numbers, are replaced.

    Parameters
    ----------
    image : Tensor
        Grey values; NaN and infinite ones are bad.

    Returns
    -------
    tuple of Tensor, Tensor and Edge
        The image mended, which pixels were, and the edge; look at `Edge.is_straight` before the
        rest is believed.
    """
    finite = torch.isfinite(image)
    if not bool(finite.any()):
        return torch.zeros_like(image), ~finite, Edge(0.0, 0.0, 0.0, 0.0, 0.0)
    low, middle, high = np.quantile(image[finite].numpy(), [_CLAMP, 0.5, 1 - _CLAMP]).tolist()
    filled = torch.where(finite, image, middle)
    edge = find_edge(filled.clamp(low, high))
    if not edge.is_straight:
        return filled, ~finite, edge
    across = distance((image.shape[0], image.shape[1]), edge.angle_deg, edge.position)
    expected = _profile(across, filled)
    residual = filled - expected
    slow = local_median(residual)  # illumination
    residual, expected = residual - slow, expected + slow
    bright = residual[across < -EDGE_WIDTH]
    down, up = tail_limits(bright if len(bright) else residual)
    far = across.abs() > EDGE_WIDTH
    odd = far & ((residual > up) | (residual < down))
    impossible = (filled > edge.bright + up) | (filled < edge.dark + down)
    bad = ~finite | odd | (~far & impossible)
    return torch.where(bad, expected.to(image), filled), bad, edge


def _profile(
    across: Tensor,  # (y, x) pixels
    image: Tensor,  # (y, x)
) -> Tensor:  # (y, x)
    """Median at each distance from the edge, interpolated."""
    d, values = across.numpy().ravel(), image.numpy().ravel()
    ends = np.concatenate(
        [
            np.arange(-_FINE_REACH, d.min() - _COARSE, -_COARSE)[:0:-1],
            np.arange(-_FINE_REACH, _FINE_REACH + _FINE, _FINE),
            np.arange(_FINE_REACH, d.max() + _COARSE, _COARSE)[1:],
        ]
    )
    order = np.argsort(np.digitize(d, ends), kind="stable")
    groups = np.split(order, np.searchsorted(np.digitize(d, ends)[order], np.arange(1, len(ends))))
    used = [group for group in groups if len(group)]
    at: NDArray[np.float64] = np.array([d[group].mean() for group in used])
    level = np.array([np.median(values[group]) for group in used])
    return torch.from_numpy(np.interp(across.numpy(), at, level))
