r"""How the images of a single-axis tilt series are turned and shifted.

The volume's frame is right-handed: the tilt axis is y, the beam runs along +z at no tilt, and the
origin is voxel n // 2 of every side. A voxel at r is seen by tilt θ at

.. math:: a = (R_y(\theta)\, r)_{xy} = (x \cos\theta + z \sin\theta,\ y)

of the aligned image, which is where IMOD's ``newstack -xform`` puts it, and at M a + s of the image
as it was taken, both in pixels from pixel n // 2. This is the frame of `difftem.scene.files.imod`.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

_VERTICAL_DEG = 90.0
_SAME = 1e-6  # pixels, of transforms that do nothing


@dataclass(frozen=True, eq=False)
class SingleAxis:
    """Tilts, and where the aligned images lie in those that were taken.

    Attributes
    ----------
    tilts_deg : Tensor
        θ in degrees, ``(n_tilts,)``, in the order of the images: any order.
    matrices : Tensor
        M, ``(n_tilts, 2, 2)``.
    shifts : Tensor
        s in pixels along x and y, ``(n_tilts, 2)``.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.geometry import single_axis
    >>> geometry = single_axis(torch.tensor([-3.0, 0.0, 3.0]), tilt_axis_deg=0.0)
    >>> geometry.lies_down, geometry.aligned_shape((100, 200))  # rows and columns are exchanged
    (True, (200, 100))
    """

    tilts_deg: Tensor
    matrices: Tensor
    shifts: Tensor

    def __post_init__(self) -> None:
        """Check shapes."""
        n = len(self.tilts_deg)
        for name, shape in {"matrices": (n, 2, 2), "shifts": (n, 2)}.items():
            found = tuple(getattr(self, name).shape)
            if found != shape:
                raise ValueError(f"{name} must be {shape} for {n} tilts, got {found}")

    def __len__(self) -> int:
        return len(self.tilts_deg)

    @property
    def is_aligned(self) -> bool:
        """Whether the images need neither turning nor shifting."""
        unit = torch.eye(2, dtype=self.matrices.dtype, device=self.matrices.device)
        return bool(((self.matrices - unit).abs() < _SAME).all()) and bool(
            (self.shifts.abs() < _SAME).all()
        )

    @property
    def lies_down(self) -> bool:
        """Whether the axis is nearer to the rows of the images than to their columns."""
        return float(self.matrices[:, 0, 1].abs().mean()) > float(
            self.matrices[:, 0, 0].abs().mean()
        )

    def aligned_shape(
        self,
        shape: tuple[int, int],
    ) -> tuple[int, int]:
        """Rows and columns of aligned images, of those that were taken: turned with the axis."""
        return (shape[1], shape[0]) if self.lies_down else shape

    def with_axis_offset(self, pixels: float) -> "SingleAxis":
        """Geometry whose axis is seen `pixels` right of pixel n // 2 of the aligned images."""
        moved = self.matrices @ torch.tensor([pixels, 0.0]).to(self.matrices)
        return replace(self, shifts=self.shifts + moved)

    def moved(self, by: Tensor) -> "SingleAxis":
        """Geometry of images whose contents lie `by` pixels (x, y) further, ``(n_tilts, 2)``."""
        return replace(self, shifts=self.shifts + by.to(self.shifts))

    def binned(self, factor: int, shape: tuple[int, int]) -> "SingleAxis":
        """Geometry of images of which squares of pixels became one.

        Parameters
        ----------
        factor : int
            Pixels along a side of the square.
        shape : tuple of int
            Rows and columns before; what is left over at the end of a row or column is cut off.

        Returns
        -------
        SingleAxis
            Its shifts take into account that pixel n // 2 lies elsewhere.
        """
        if factor == 1:
            return self
        middle = [
            (n // 2 - (factor - 1) / 2) / factor - (n // factor) // 2 for n in reversed(shape)
        ]
        return replace(self, shifts=self.shifts / factor + torch.tensor(middle).to(self.shifts))


def single_axis(
    tilts_deg: Tensor,  # (n_tilts,)
    tilt_axis_deg: float = _VERTICAL_DEG,
    shifts: Tensor | None = None,  # (n_tilts, 2) pixels
) -> SingleAxis:
    """Geometry of tilts about one axis.

    Parameters
    ----------
    tilts_deg : Tensor
        Degrees, ``(n_tilts,)``.
    tilt_axis_deg : float
        Direction of the axis in the images in degrees, counter-clockwise from x: 90 is vertical.
        IMOD counts from y: its rotation angle is 90 less.
    shifts : Tensor, optional
        How far the contents of each image are off, x and y in pixels.

    Returns
    -------
    SingleAxis
        In float64.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.geometry import single_axis
    >>> geometry = single_axis(torch.arange(-60.0, 61.0, 3.0))  # degrees, about a vertical axis
    >>> len(geometry), geometry.is_aligned
    (41, True)
    """
    tilts = tilts_deg.double()
    turn = torch.deg2rad(torch.tensor(tilt_axis_deg - _VERTICAL_DEG, dtype=torch.float64))
    return SingleAxis(
        tilts,
        turns(turn.expand(len(tilts))),
        torch.zeros(len(tilts), 2, dtype=torch.float64) if shifts is None else shifts.double(),
    )


def turns(
    angles: Tensor,  # (n,) rad
) -> Tensor:  # (n, 2, 2)
    """Matrices that turn x towards y.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.geometry import turns
    >>> quarter = turns(torch.tensor([torch.pi / 2]))[0]
    >>> [round(each) for each in (quarter @ torch.tensor([1.0, 0.0])).tolist()]  # x goes to y
    [0, 1]
    """
    c, s = angles.cos(), angles.sin()
    return torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)
