r"""Euler angles of other programs, to and from active rotation matrices.

RELION's (rot, tilt, psi) = (φ, θ, ψ) turn the *coordinate frame* of the reference: about z, about
the new y, about the new z. What is at u in the reference is at r = A u in the image, with

.. math:: A = R_z(-\psi)\, R_y(-\theta)\, R_z(-\phi)

in active counter-clockwise rotations: its last row (sin θ cos φ, sin θ sin φ, cos θ) is the
direction, in the reference, along which RELION projects. So A is our R of x' = R x as it stands.

A tilt image of RELION 5 is the sample after :math:`R_z(c) R_y(b) R_x(a)` with XTilt a, YTilt b and
ZRot c, all active, followed by the shift.
"""

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_euler, rotation_from_vector

_POLE = 1e-9  # below this sine (cosine), two angles turn about one axis and only their sum counts


def rotation_from_relion(
    angles: Tensor,  # (n, 3) degrees
) -> Tensor:  # (n, 3, 3)
    """Active rotation, reference to image or tomogram, of RELION's rot, tilt, psi.

    Parameters
    ----------
    angles : Tensor
        ``rlnAngleRot``, ``rlnAngleTilt``, ``rlnAnglePsi`` in degrees, shape ``(n, 3)``.

    Returns
    -------
    Tensor
        float64, ``(n, 3, 3)``.

    References
    ----------
    Heymann, Chagoyen & Belnap, J. Struct. Biol. 151 (2005) 196.
    """
    rot, tilt, psi = torch.deg2rad(angles.double()).unbind(-1)
    return _about(2, -psi) @ _about(1, -tilt) @ _about(2, -rot)


def relion_from_rotation(
    rotations: Tensor,  # (n, 3, 3)
) -> Tensor:  # (n, 3) degrees
    """RELION's rot, tilt, psi of active rotations; tilt is 0 to 180°, rot 0 where that is free.

    Parameters
    ----------
    rotations : Tensor
        Shape ``(n, 3, 3)``.

    Returns
    -------
    Tensor
        In degrees, float64, ``(n, 3)``.
    """
    r = rotations.double()
    sine = torch.hypot(r[:, 2, 0], r[:, 2, 1])
    tilt = torch.atan2(sine, r[:, 2, 2])
    pole = sine < _POLE
    rot = torch.where(pole, 0.0, torch.atan2(r[:, 2, 1], r[:, 2, 0]))
    psi = torch.where(
        pole,
        torch.atan2(-r[:, 1, 0] * r[:, 2, 2], r[:, 1, 1]),
        torch.atan2(r[:, 1, 2], -r[:, 0, 2]),
    )
    return torch.rad2deg(torch.stack([rot, tilt, psi], -1))


def rotation_from_tem_simulator(
    angles: Tensor,  # (n, 3) degrees
) -> Tensor:  # (n, 3, 3)
    r"""Active rotation :math:`R_z(\psi) R_x(\theta) R_z(\phi)` of TEM-simulator's φ, θ, ψ.

    Parameters
    ----------
    angles : Tensor
        φ, θ, ψ in degrees, shape ``(n, 3)``.

    Returns
    -------
    Tensor
        float64, ``(n, 3, 3)``.
    """
    return rotation_from_euler(torch.deg2rad(angles.double()))


def tem_simulator_from_rotation(
    rotations: Tensor,  # (n, 3, 3)
) -> Tensor:  # (n, 3) degrees
    """TEM-simulator's φ, θ, ψ of active rotations; θ is 0 to 180°, φ 0 where that is free.

    Parameters
    ----------
    rotations : Tensor
        Shape ``(n, 3, 3)``.

    Returns
    -------
    Tensor
        In degrees, float64, ``(n, 3)``.
    """
    r = rotations.double()
    sine = torch.hypot(r[:, 2, 0], r[:, 2, 1])
    theta = torch.atan2(sine, r[:, 2, 2])
    pole = sine < _POLE
    phi = torch.where(pole, 0.0, torch.atan2(r[:, 2, 0], r[:, 2, 1]))
    psi = torch.where(
        pole, torch.atan2(r[:, 1, 0], r[:, 0, 0]), torch.atan2(r[:, 0, 2], -r[:, 1, 2])
    )
    return torch.rad2deg(torch.stack([phi, theta, psi], -1))


def rotation_from_tilt(
    angles: Tensor,  # (n, 3) degrees
) -> Tensor:  # (n, 3, 3)
    """Active rotation, sample to microscope, of RELION 5's XTilt, YTilt, ZRot.

    Parameters
    ----------
    angles : Tensor
        ``rlnTomoXTilt``, ``rlnTomoYTilt``, ``rlnTomoZRot`` in degrees, shape ``(n, 3)``.

    Returns
    -------
    Tensor
        float64, ``(n, 3, 3)``.

    References
    ----------
    Burt et al., FEBS Open Bio 14 (2024) 1788 (RELION 5).
    """
    x, y, z = torch.deg2rad(angles.double()).unbind(-1)
    return _about(2, z) @ _about(1, y) @ _about(0, x)


def tilt_from_rotation(
    rotations: Tensor,  # (n, 3, 3)
) -> Tensor:  # (n, 3) degrees
    """RELION 5's XTilt, YTilt, ZRot of active rotations; XTilt is 0 where that is free.

    Parameters
    ----------
    rotations : Tensor
        Shape ``(n, 3, 3)``.

    Returns
    -------
    Tensor
        In degrees, YTilt -90 to 90, float64, ``(n, 3)``.
    """
    r = rotations.double()
    cosine = torch.hypot(r[:, 2, 1], r[:, 2, 2])
    y = torch.atan2(-r[:, 2, 0], cosine)
    pole = cosine < _POLE
    x = torch.where(pole, 0.0, torch.atan2(r[:, 2, 1], r[:, 2, 2]))
    z = torch.where(pole, torch.atan2(-r[:, 0, 1], r[:, 1, 1]), torch.atan2(r[:, 1, 0], r[:, 0, 0]))
    return torch.rad2deg(torch.stack([x, y, z], -1))


def _about(axis: int, angle: Tensor) -> Tensor:  # (n, 3, 3)
    """Active rotations about x (0), y (1) or z (2)."""
    vector = torch.zeros(len(angle), 3, dtype=angle.dtype)
    vector[:, axis] = angle
    return rotation_from_vector(vector)
