"""What a particle template is."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Template:
    """Three-dimensional potential of a particle beyond that of what surrounds it.

    Attributes
    ----------
    values : Tensor
        Potential in V, absorption as imaginary part, shape ``(nz, ny, nx)``; real if there is
        none.
    voxel_size : float
        In Å.
    radius : float
        In Å, of a sphere about the center that holds the particle.
    center : tuple of float
        Point (x, y, z) that is placed and turned about, in Å from voxel ``n // 2``.
    """

    values: Tensor
    voxel_size: float
    radius: float
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
