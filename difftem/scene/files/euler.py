r"""Euler angles of other programs, in degrees, to and from active rotation matrices.

Angles have the shape ``(n, 3)``, rotations ``(n, 3, 3)``; what comes back is float64.

RELION's (rot, tilt, psi) = (φ, θ, ψ) turn the *coordinate frame* of the reference: about z, about
the new y, about the new z [1]_. What is at u in the reference is at r = A u in the image, with

.. math:: A = R_z(-\psi)\, R_y(-\theta)\, R_z(-\phi)

in active counter-clockwise rotations: its last row (sin θ cos φ, sin θ sin φ, cos θ) is the
direction, in the reference, along which RELION projects. So A is our R of x' = R x as it stands.

A tilt image of RELION 5 is the sample after :math:`R_z(c) R_y(b) R_x(a)` with XTilt a, YTilt b and
ZRot c, all active, followed by the shift [2]_.

References
----------
.. [1] Heymann, Chagoyen & Belnap, J. Struct. Biol. 151 (2005) 196.
.. [2] Burt et al., FEBS Open Bio 14 (2024) 1788.
"""

import warnings

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor


def rotation_from_relion(angles: Tensor) -> Tensor:
    """Active rotation, reference to image or tomogram, of RELION's rot, tilt, psi.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files.euler import rotation_from_relion
    >>> turned = rotation_from_relion(torch.tensor([[0.0, 0.0, 90.0]]))[0]  # psi
    >>> [round(each) for each in turned[:, 0].tolist()]  # x of the reference is seen along -y
    [0, -1, 0]
    """
    return _rotations("zyz", angles).mT


def relion_from_rotation(rotations: Tensor) -> Tensor:
    """RELION's rot, tilt, psi; tilt is 0 to 180°, rot 0 where that is free.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files.euler import relion_from_rotation, rotation_from_relion
    >>> rotations = rotation_from_relion(torch.tensor([[10.0, 20.0, 30.0]]))
    >>> [round(each, 6) for each in relion_from_rotation(rotations)[0].tolist()]
    [10.0, 20.0, 30.0]
    """
    return _angles("zyz", rotations.mT)


def rotation_from_tem_simulator(angles: Tensor) -> Tensor:
    r"""Active rotation :math:`R_z(\psi) R_x(\theta) R_z(\phi)` of TEM-simulator's φ, θ, ψ.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files.euler import rotation_from_tem_simulator
    >>> turned = rotation_from_tem_simulator(torch.tensor([[0.0, 0.0, 90.0]]))[0]  # ψ
    >>> [round(each) for each in turned[:, 0].tolist()]  # x goes to y
    [0, 1, 0]
    """
    return _rotations("ZXZ", angles)


def tem_simulator_from_rotation(rotations: Tensor) -> Tensor:
    """TEM-simulator's φ, θ, ψ; θ is 0 to 180°, φ 0 where that is free.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files import euler
    >>> rotations = euler.rotation_from_relion(torch.tensor([[10.0, 20.0, 30.0]]))
    >>> angles = euler.tem_simulator_from_rotation(rotations)
    >>> again = euler.relion_from_rotation(euler.rotation_from_tem_simulator(angles))
    >>> [round(each, 6) for each in again[0].tolist()]
    [10.0, 20.0, 30.0]
    """
    return _angles("ZXZ", rotations)


def rotation_from_tilt(angles: Tensor) -> Tensor:
    """Active rotation, sample to microscope, of RELION 5's XTilt, YTilt, ZRot.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files.euler import rotation_from_tilt
    >>> tilted = rotation_from_tilt(torch.tensor([[0.0, 60.0, 0.0]]))[0]  # YTilt
    >>> [round(each, 3) for each in tilted[[0, 2], 2].tolist()]  # x and z of where z goes
    [0.866, 0.5]
    """
    return _rotations("ZYX", angles)


def tilt_from_rotation(rotations: Tensor) -> Tensor:
    """RELION 5's XTilt, YTilt, ZRot; YTilt is -90 to 90°, XTilt 0 where that is free.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files.euler import rotation_from_tilt, tilt_from_rotation
    >>> rotations = rotation_from_tilt(torch.tensor([[1.0, 60.0, 85.0]]))  # XTilt, YTilt, ZRot
    >>> [round(each, 6) for each in tilt_from_rotation(rotations)[0].tolist()]
    [1.0, 60.0, 85.0]
    """
    return _angles("ZYX", rotations)


def _rotations(axes: str, angles: Tensor) -> Tensor:
    """Rotations about the axes, of which scipy takes that of the last angle first."""
    last_first = angles.double().flip(-1).numpy()
    return torch.from_numpy(Rotation.from_euler(axes, last_first, degrees=True).as_matrix())


def _angles(axes: str, rotations: Tensor) -> Tensor:
    """Angles that `_rotations` takes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gimbal lock", UserWarning)
        angles = Rotation.from_matrix(rotations.double().numpy()).as_euler(axes, degrees=True)
    return torch.from_numpy(angles).flip(-1)
