"""Coarse alignment of tilt series: shifts between images by correlation or by their mass."""

from itertools import pairwise

import torch
from torch import Tensor

from difftem.micrograph.alignment import whole_pixel_shift
from difftem.tomography.resample import align_image

_PASSES = 2  # the second measures what is left of a shift below a pixel
_REACH = 3  # of a side: shifts up to a third


def correlated_shifts(
    images: Tensor,  # (n_tilts, y, x)
    tilts: Tensor,  # (n_tilts,) rad
) -> Tensor:  # (n_tilts, 2) pixels
    r"""Find shifts by correlating each image with that of the next lower tilt.

    The one of higher tilt θ' is stretched across the axis by cos θ / cos θ' first, as if the
    sample were flat. From the image of least tilt, which stays where it is, it goes on to both
    sides; errors add up on the way.

    Parameters
    ----------
    images : Tensor
        The tilt axis along y; ``(n_tilts, y, x)``.
    tilts : Tensor
        In rad, in any order.

    Returns
    -------
    Tensor
        How far the contents of each image are off along x and y, ``(n_tilts, 2)``.

    References
    ----------
    Guckenberger, Ultramicroscopy 9 (1982) 167.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.alignment import correlated_shifts
    >>> image = torch.randn(32, 32, generator=torch.Generator().manual_seed(0))
    >>> images = torch.stack([image, image.roll((2, -3), (0, 1))])  # 2 rows down, 3 columns left
    >>> [round(each) for each in correlated_shifts(images, torch.tensor([0.0, 1e-3]))[1].tolist()]
    [-3, 2]
    """
    shape = (images.shape[1], images.shape[2])
    shifts = torch.zeros(len(tilts), 2, dtype=torch.float64)
    order = tilts.argsort().tolist()
    start = min(range(len(order)), key=lambda i: abs(float(tilts[order[i]])))
    for side in (order[start:], order[start::-1]):
        for lower, higher in pairwise(side):
            stretch = float(tilts[lower].cos() / tilts[higher].cos())
            squeezed = torch.diag(torch.tensor([1 / stretch, 1.0], dtype=torch.float64))
            unit = torch.eye(2, dtype=torch.float64)
            seen = align_image(images[lower], unit, shifts[lower], shape)
            for _ in range(_PASSES):
                other = align_image(images[higher], squeezed, shifts[higher], shape)
                found = whole_pixel_shift(seen, other, min(shape) // _REACH)
                x, y = found.x + found.residual[1], found.y + found.residual[0]
                shifts[higher] += torch.tensor([x / stretch, y], dtype=torch.float64)
    return shifts


def centred_mass(
    images: Tensor,  # (n_tilts, y, x)
    tilts: Tensor,  # (n_tilts,) rad
) -> Tensor:  # (n_tilts, 2) pixels
    """Find shifts that put the middle of all mass onto the axis; along the axis by correlation.

    For a needle, or a particle with nothing around it: what it holds is the same in all images,
    and so errors do not add up.

    Parameters
    ----------
    images : Tensor
        The tilt axis along y; 0 where there is nothing, matter positive; ``(n_tilts, y, x)``.
    tilts : Tensor
        In rad, in any order.

    Returns
    -------
    Tensor
        How far the contents of each image are off along x and y, ``(n_tilts, 2)``.

    Raises
    ------
    ValueError
        If an image has no mass.

    References
    ----------
    Scott et al., Nature 483 (2012) 444.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.alignment import centred_mass
    >>> x = torch.arange(32.0) - 16
    >>> needle = torch.exp(-((x - 3) ** 2) / 8).expand(32, 32) * torch.exp(-(x[:, None] ** 2) / 8)
    >>> shifts = centred_mass(torch.stack([needle, needle]), torch.tensor([0.0, 0.1]))
    >>> [round(each, 2) for each in shifts[:, 0].tolist()]  # 3 pixels right of the axis
    [3.0, 3.0]
    """
    columns = images.clamp_min(0).sum(1, dtype=torch.float64)
    mass = columns.sum(1)
    if not bool((mass > 0).all()):
        raise ValueError(
            f"image {int((mass <= 0).nonzero()[0]) + 1} has no mass above its background to align "
            "by: is the contrast right (--contrast)?"
        )
    x = torch.arange(images.shape[2], dtype=torch.float64) - images.shape[2] // 2
    across = (columns * x).sum(1) / mass
    centred = torch.stack(
        [
            align_image(image, torch.eye(2).double(), torch.stack([by, 0 * by]), image.shape)
            for image, by in zip(images, across, strict=True)
        ]
    )
    along = correlated_shifts(centred, tilts)[:, 1]
    return torch.stack([across, along], 1)
