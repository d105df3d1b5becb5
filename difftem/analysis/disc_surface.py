"""What an image would show without a column: a plane through the rim of its disc."""

import torch
from torch import Tensor

_RIM = 2.0  # pixels that a plane is fitted to, beyond the disc


class DiscSurface:
    """Replace discs by what their rims say.

    The plane is the least-squares one of the rim: each of its pixels is a sum of rim pixels with
    weights that are the same in every disc. A harmonic surface (Laplace's equation in the disc),
    which meets the rim, was found to tell columns no better.

    Parameters
    ----------
    radius : float
        Of the disc in pixels.

    Attributes
    ----------
    inside, rim : Tensor
        Steps (y, x) from the centre to each pixel of the disc and of its rim, shapes ``(n, 2)``
        and ``(m, 2)``.
    weights : Tensor
        Of rim pixels in disc pixels, shape ``(n, m)``, float64.
    reach : int
        Pixels from the centre to the furthest pixel of the rim.

    Raises
    ------
    ValueError
        For a radius below 2 pixels.
    """

    def __init__(self, radius: float) -> None:
        if not radius >= 2:
            raise ValueError(f"radius must be at least 2 pixels, got {radius:g}")
        self.radius = radius
        reach = int(radius + _RIM) + 1
        steps = torch.cartesian_prod(*(torch.arange(-reach, reach + 1),) * 2)
        away = steps.double().norm(dim=1)
        self.inside = steps[away <= radius]
        self.rim = steps[(away > radius) & (away <= radius + _RIM)]
        self.weights = _terms(self.inside) @ torch.linalg.pinv(_terms(self.rim))
        self.reach = int(self.rim.abs().max())

    def values(
        self,
        image: Tensor,  # (y, x)
        centers: Tensor,  # (k, 2) px
    ) -> tuple[Tensor, Tensor]:  # (k, n), (k, n)
        """Values of an image in discs, and those of the planes.

        Parameters
        ----------
        image : Tensor
            Shape ``(y, x)``.
        centers : Tensor
            Whole x and y in pixels, at least `reach` from the border, shape ``(k, 2)``.

        Returns
        -------
        tuple of Tensor
            As they are, and of the planes, both ``(k, n)``, float64.
        """
        rim = _taken(image, centers, self.rim)
        return _taken(image, centers, self.inside), rim @ self.weights.T

    def without(
        self,
        image: Tensor,  # (y, x)
        centers: Tensor,  # (k, 2) px
    ) -> Tensor:  # (y, x)
        """Put the planes into a copy of an image; discs must not reach into each other's rims."""
        y, x = _places(centers, self.inside)
        result = image.clone()
        result[y, x] = self.values(image, centers)[1].to(image)
        return result


def _places(centers: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:  # 2 x (k, n)
    """Rows and columns of pixels around centres."""
    whole = centers.long()
    return whole[:, 1:] + steps[:, 0], whole[:, :1] + steps[:, 1]


def _taken(image: Tensor, centers: Tensor, steps: Tensor) -> Tensor:  # (k, n)
    y, x = _places(centers, steps)
    return image[y, x].double()


def _terms(steps: Tensor) -> Tensor:  # (n, 3)
    """Terms of a plane."""
    return torch.cat([torch.ones(len(steps), 1, dtype=torch.float64), steps.double()], 1)
