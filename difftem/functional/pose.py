"""Rotations: rotation vectors, Euler angles, tilts."""

import torch
from torch import Tensor


def rotate(
    vectors: Tensor,  # (..., n, 3)
    rotations: Tensor,  # (..., 3, 3)
) -> Tensor:  # (..., n, 3)
    """Turn vectors, in the full precision of their numbers.

    As ``vectors @ rotations.mT``, which a GPU may be allowed to round to 10 bits (TF32, autocast):
    a quarter of an Å for an atom at 500 Å.

    Parameters
    ----------
    vectors : Tensor
        Shape ``(..., n, 3)``.
    rotations : Tensor
        Shape ``(..., 3, 3)``; leading axes broadcast.

    Returns
    -------
    Tensor
        ``x' = R x`` of each, shape ``(..., n, 3)``.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.functional.pose import rotate, rotation_from_vector
    >>> quarter = rotation_from_vector(torch.tensor([0.0, 0.0, math.pi / 2]))
    >>> [round(each) for each in rotate(torch.tensor([[1.0, 0.0, 0.0]]), quarter)[0].tolist()]
    [0, 1, 0]
    """
    x, y, z = (each[..., None] for each in vectors.unbind(-1))
    by_x, by_y, by_z = (column[..., None, :] for column in rotations.unbind(-1))
    return x * by_x + y * by_y + z * by_z


def rotation_from_vector(
    vector: Tensor,  # (..., 3) rad
) -> Tensor:  # (..., 3, 3)
    r"""Rotation matrix of a rotation vector (axis times angle), smooth at zero.

    .. math:: R = \exp\begin{pmatrix} 0 & -w_z & w_y \\ w_z & 0 & -w_x \\ -w_y & w_x & 0
              \end{pmatrix}

    Parameters
    ----------
    vector : Tensor
        In rad, shape ``(..., 3)``.

    Returns
    -------
    Tensor
        Active counter-clockwise rotation ``x' = R x``, shape ``(..., 3, 3)``.

    References
    ----------
    Rodrigues' formula, as a matrix exponential.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.functional.pose import rotation_from_vector
    >>> about_z = rotation_from_vector(torch.tensor([0.0, 0.0, math.pi / 6]))
    >>> [round(each, 3) for each in about_z[:2, 0].tolist()]  # where x goes: 30° towards y
    [0.866, 0.5]
    """
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [torch.stack(row, -1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    return torch.linalg.matrix_exp(torch.stack(rows, -2))


def rotation_from_euler(
    angles: Tensor,  # (..., 3) rad
) -> Tensor:  # (..., 3, 3)
    r"""Rotation matrix of Euler angles (φ, θ, ψ) in TEM-simulator's order.

    .. math:: R = R_z(\psi) R_x(\theta) R_z(\varphi)

    Parameters
    ----------
    angles : Tensor
        φ, θ, ψ in rad, shape ``(..., 3)``.

    Returns
    -------
    Tensor
        Active rotation, shape ``(..., 3, 3)``.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.functional.pose import rotation_from_euler
    >>> turned = rotation_from_euler(torch.tensor([0.0, math.pi / 2, 0.0]))  # φ, θ, ψ
    >>> [round(each) for each in turned[:, 2].tolist()]  # where z goes: θ turns about x
    [0, -1, 0]
    """
    phi, theta, psi = (angles[..., i] for i in range(3))
    zero = torch.zeros_like(phi)
    about_z = torch.stack([zero, zero, psi], -1)
    about_x = torch.stack([theta, zero, zero], -1)
    first = torch.stack([zero, zero, phi], -1)
    return (
        rotation_from_vector(about_z) @ rotation_from_vector(about_x) @ rotation_from_vector(first)
    )


def tilt_rotation(
    tilt: Tensor,  # (...) rad
    axis_angle: Tensor,  # () rad
) -> Tensor:  # (..., 3, 3)
    """Rotation of the specimen about an axis in the image plane.

    Parameters
    ----------
    tilt : Tensor
        Tilt angles in rad.
    axis_angle : Tensor
        Direction of the axis, counter-clockwise from x, in rad; π/2 is the y axis.

    Returns
    -------
    Tensor
        Shape ``(..., 3, 3)``.

    Examples
    --------
    >>> import math
    >>> import torch
    >>> from difftem.functional.pose import tilt_rotation
    >>> tilted = tilt_rotation(torch.tensor(math.radians(60)), torch.tensor(math.pi / 2))
    >>> [round(each, 3) for each in tilted[[0, 2], 2].tolist()]  # x and z of where z goes
    [0.866, 0.5]
    """
    axis = torch.stack([torch.cos(axis_angle), torch.sin(axis_angle), torch.zeros_like(axis_angle)])
    return rotation_from_vector(tilt[..., None] * axis)


def random_rotations(
    n: int,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float64,
) -> Tensor:  # (n, 3, 3)
    """Rotations drawn uniformly (normalised Gaussian quaternions).

    Parameters
    ----------
    n : int
        How many.
    generator : torch.Generator, optional
        Source of randomness.
    dtype : torch.dtype
        Of the result.

    Returns
    -------
    Tensor
        Shape ``(n, 3, 3)``.

    References
    ----------
    Shoemake, Graphics Gems III (1992), uniform random rotations.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.pose import random_rotations
    >>> rotations = random_rotations(3, torch.Generator().manual_seed(0))
    >>> [round(each, 6) for each in torch.linalg.det(rotations).tolist()]  # none is a mirror
    [1.0, 1.0, 1.0]
    """
    quaternion = torch.randn(n, 4, generator=generator, dtype=dtype)
    w, x, y, z = (quaternion / quaternion.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = [
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)
