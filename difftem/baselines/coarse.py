"""Images on larger pixels, and back, without aliases."""

import torch
from torch import Tensor

from difftem.functional.cosine import cosine_transform, inverse_cosine_transform


def coarser(
    image: Tensor,  # (y, x)
    binning: float,
) -> Tensor:  # (Y, X)
    """Put a whitened image on larger pixels by cutting its cosine spectrum.

    The ordinates that are left stay as they are, so that white noise of variance 1 stays that, and
    a signal grows by `binning` as in sums of counts. Nothing folds back, no box blurs, and sizes
    need not be multiples.

    Parameters
    ----------
    image : Tensor
        White noise of variance 1 and a signal, shape ``(y, x)``.
    binning : float
        Side of the new pixels in old ones, at least 1.

    Returns
    -------
    Tensor
        Shape ``(round(y / binning), round(x / binning))``, 1 at least.
    """
    ny, nx = (max(1, round(n / binning)) for n in image.shape)
    if (ny, nx) == tuple(image.shape):
        return image
    return inverse_cosine_transform(cosine_transform(image)[:ny, :nx])


def finer(
    image: Tensor,  # (Y, X)
    shape: tuple[int, int],
) -> Tensor:  # shape
    """Undo `coarser`: frequencies that the coarse image does not hold are 0.

    Parameters
    ----------
    image : Tensor
        As `coarser` gives it, shape ``(Y, X)``.
    shape : tuple of int
        ``(y, x)`` of the fine image, nowhere smaller.

    Returns
    -------
    Tensor
        Shape ``(y, x)``.
    """
    if shape == tuple(image.shape):
        return image
    ny, nx = image.shape
    spectrum = cosine_transform(image)
    padded = torch.nn.functional.pad(spectrum, (0, shape[1] - nx, 0, shape[0] - ny))
    return inverse_cosine_transform(padded)
