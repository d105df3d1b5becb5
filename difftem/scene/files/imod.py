r"""IMOD's alignment of a tilt series: tilts (``.tlt``) and transforms (``.xf``).

A line ``A11 A12 A21 A22 DX DY`` of an ``.xf`` file takes the raw image to the aligned one,

.. math:: X' = A (X - X_c) + D + X_c

in pixels, with X_c the middle of the image, nx / 2, which lies between the pixels n / 2 - 1 and
n / 2 of an even image. In aligned images the tilt axis is vertical (y) and goes through pixel
n // 2, where the middle of the sample is. Tilts are about y: what is at z moves by z sin θ along x.
"""

from pathlib import Path

import torch
from torch import Tensor

from difftem.io.files import replacing


def aligned(
    rotations: Tensor,  # (n, 3, 3)
    tilt_axis_deg: float,
) -> tuple[Tensor, Tensor]:  # (n,) degrees, (n,) degrees
    r"""Tilts about y, and rotations of the images, that rotations of the sample amount to.

    .. math:: S = R_z(\gamma)\, R_y(\theta)\, R_z(-a), \quad a = \text{axis} - 90^\circ

    The sample, turned by -a, is what a tomogram of the aligned images shows.

    Parameters
    ----------
    rotations : Tensor
        S of each image, sample to microscope, ``(n, 3, 3)``.
    tilt_axis_deg : float
        Direction of the axis that the stage is set to, in degrees counter-clockwise from x.

    Returns
    -------
    tuple of Tensor
        θ and γ in degrees, ``(n,)``. A tilt of the beam along the axis is the part of S that
        they do not hold.
    """
    a = torch.deg2rad(torch.tensor(tilt_axis_deg - 90.0, dtype=torch.float64))
    c, s = torch.cos(a), torch.sin(a)
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    turn = torch.stack([c, -s, zero, s, c, zero, zero, zero, one]).reshape(3, 3)
    both = rotations.double() @ turn  # Rz(γ) Ry(θ)
    tilt = torch.atan2(-both[:, 2, 0], both[:, 2, 2])
    image = torch.atan2(-both[:, 0, 1], both[:, 1, 1])
    return torch.rad2deg(tilt), torch.rad2deg(image)


def write_xf(
    path: str | Path,
    rotations_deg: Tensor,  # (n,)
    shifts: Tensor,  # (n, 2) pixels
    shape: tuple[int, int],
    *,
    overwrite: bool = False,
) -> None:
    """Write the transforms that undo rotations about pixel n // 2 followed by shifts.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    rotations_deg : Tensor
        γ of each image in degrees, counter-clockwise, ``(n,)``.
    shifts : Tensor
        Of each image along x and y in pixels, ``(n, 2)``.
    shape : tuple of int
        Rows and columns (y, x).
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.

    References
    ----------
    IMOD's manual, pages of xfinfo and newstack.
    """
    angle = -torch.deg2rad(rotations_deg.double())
    c, s = torch.cos(angle), torch.sin(angle)
    matrix = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)
    # From IMOD's middle, nx / 2 from the image's edge, to the middle of pixel n // 2.
    to_origin = torch.tensor([n // 2 - (n - 1) / 2 for n in reversed(shape)], dtype=torch.float64)
    moved = to_origin - (matrix @ (to_origin + shifts.double())[..., None]).squeeze(-1)
    rows = torch.cat([matrix.flatten(1), moved], 1).tolist()
    lines = ["".join(f"{v:12.7f}" for v in r[:4]) + "".join(f"{v:12.3f}" for v in r[4:])
             for r in rows]  # fmt: skip
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text("\n".join([*lines, ""]), encoding="ascii")


def write_tlt(path: str | Path, tilts_deg: Tensor, *, overwrite: bool = False) -> None:
    """Write tilts as they were, in degrees, one a line: IMOD's ``.tlt`` after alignment.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    tilts_deg : Tensor
        Shape ``(n,)``.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    """
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text("".join(f"{t + 0.0:.4f}\n" for t in tilts_deg.tolist()), "ascii")
