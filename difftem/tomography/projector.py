"""The images of a tilt series of a volume, with an exact adjoint."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.modules.quantity import check_learnable, register_quantity
from difftem.tomography.geometry import turns
from difftem.tomography.resample import places, sample, spread
from difftem.tomography.slice_operators import back_project_slices, project_slices
from difftem.tomography.slice_weights import ROWS, SliceShape, SliceWeights
from difftem.units import deg_to_rad

_LEARNABLE = ("tilt_deg", "tilt_axis_deg", "shift", "axis_offset")


class TiltProjector(nn.Module):
    r"""Project a volume along the beam of every tilt.

    A pixel of an aligned image is the sum of the densities along its line, in voxels; the image is
    then turned about its pixel n // 2 by the tilt axis's angle less 90° and shifted. Slabs of the
    volume across the axis are projected one after the other, so that little memory is needed
    besides volume and images. `adjoint` is the transpose to rounding; both have gradients by what
    goes in and by tilts and axis offset. By the axis's direction and shifts along it images
    have kinks where a pixel lies at the centre of another.

    Parameters
    ----------
    tilt_deg : Tensor
        Tilts in degrees, ``(n_tilts,)``.
    volume_shape : tuple of int
        Of volumes (z, y, x).
    image_shape : tuple of int
        Of images (y, x).
    tilt_axis_deg : float or Tensor
        Direction of the tilt axis in the images, counter-clockwise from x; 90 is vertical.
    shift : Tensor, optional
        Of each image along x and y in pixels, ``(n_tilts, 2)``.
    axis_offset : float or Tensor
        How far from pixel n // 2 of the aligned images the axis is seen, in pixels along x.
    learnable : collection of str
        Any of ``tilt_deg``, ``tilt_axis_deg``, ``shift``, ``axis_offset``.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.projector import TiltProjector
    >>> volume = torch.zeros(17, 1, 17)  # z, y, x
    >>> volume[14, 0, 8] = 1.0  # six voxels down the beam
    >>> projector = TiltProjector(torch.tensor([0.0, 30.0]), (17, 1, 17), (1, 17))
    >>> projector(volume).argmax(-1)[:, 0].tolist()  # tilted, it is seen 6 sin 30° further right
    [8, 11]
    """

    tilt_deg: Tensor
    tilt_axis_deg: Tensor
    shift: Tensor
    axis_offset: Tensor

    def __init__(
        self,
        tilt_deg: Tensor,
        volume_shape: tuple[int, int, int],
        image_shape: tuple[int, int],
        tilt_axis_deg: float | Tensor = 90.0,
        shift: Tensor | None = None,
        axis_offset: float | Tensor = 0.0,
        *,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, _LEARNABLE)
        tilts = torch.as_tensor(tilt_deg, dtype=torch.float64)
        n = len(tilts)
        shift = torch.zeros(n, 2, dtype=torch.float64) if shift is None else shift.double()
        if tuple(shift.shape) != (n, 2):
            raise ValueError(f"shift must be ({n}, 2) for {n} tilts, got {tuple(shift.shape)}")
        if min(*volume_shape, *image_shape) < 1:
            raise ValueError(f"sides must be positive, got {volume_shape} and {image_shape}")
        axis = torch.as_tensor(tilt_axis_deg, dtype=torch.float64)
        offset = torch.as_tensor(axis_offset, dtype=torch.float64)
        values = (tilts, axis, shift, offset)
        for name, value in zip(_LEARNABLE, values, strict=True):
            register_quantity(self, name, value, learnable)
        self.volume_shape, self.image_shape = volume_shape, image_shape
        self._cached: SliceWeights | None = None

    def forward(
        self,
        volume: Tensor,  # (z, y, x)
    ) -> Tensor:  # (n_tilts, y, x)
        """Project a volume.

        Parameters
        ----------
        volume : Tensor
            Densities, of `volume_shape`.

        Returns
        -------
        Tensor
            Images, ``(n_tilts, *image_shape)``.
        """
        nz, ny, nx = self._checked(volume, self.volume_shape)
        angles, offsets, weights = self._slices(volume)
        slabs = [
            project_slices(slab.transpose(1, 2).reshape(nz * nx, -1), angles, offsets, weights)
            for slab in volume.split(ROWS, 1)
        ]
        aligned = torch.cat(slabs, 1).reshape(len(angles), -1, ny).mT
        if not self._is_moved:
            return aligned.contiguous()
        return torch.stack([sample(image, self._places(i)) for i, image in enumerate(aligned)])

    def adjoint(
        self,
        images: Tensor,  # (n_tilts, y, x)
    ) -> Tensor:  # (z, y, x)
        """Sum images back along the beams: the transpose of `forward`.

        Parameters
        ----------
        images : Tensor
            ``(n_tilts, *image_shape)``.

        Returns
        -------
        Tensor
            Volume, of `volume_shape`.
        """
        self._checked(images, (len(self.tilt_deg), *self.image_shape))
        nz, ny, nx = self.volume_shape
        angles, offsets, weights = self._slices(images)
        if self._is_moved:
            shape = (ny, self._width)
            images = torch.stack(
                [spread(image, self._places(i), shape) for i, image in enumerate(images)]
            )
        columns = images.mT.reshape(-1, ny)
        slabs = [
            back_project_slices(slab, angles, offsets, weights).reshape(nz, nx, -1)
            for slab in columns.split(ROWS, 1)
        ]
        return torch.cat(slabs, 2).transpose(1, 2).contiguous()

    @property
    def _is_moved(self) -> bool:
        """Whether images are turned or shifted after projection."""
        if self._turned or self.tilt_axis_deg.requires_grad:
            return True
        along = self.shift[:, 1]
        same = (self.volume_shape[1], self._width) == self.image_shape
        return not same or along.requires_grad or bool((along != 0).any())

    @property
    def _turned(self) -> bool:
        return bool(self.tilt_axis_deg.detach() != 90)

    @property
    def _width(self) -> int:
        """Pixels across the axis of aligned images."""
        turn = abs(float(self.tilt_axis_deg.detach()) - 90.0) % 180.0
        return self.image_shape[0] if 45.0 < turn < 135.0 else self.image_shape[1]

    def _slices(self, like: Tensor) -> tuple[Tensor, Tensor, SliceWeights]:
        """Angles, offsets and weights of planes across the axis, kept while they are true."""
        angles = deg_to_rad(self.tilt_deg)
        offsets = self.axis_offset.expand(len(angles))
        if not self._is_moved:  # a shift across the axis costs nothing here
            offsets = offsets + self.shift[:, 0]
        known = self._cached
        if (
            known is None
            or known.dtype != like.dtype
            or known.tilts.device != angles.device
            or not torch.equal(known.tilts, angles)
            or not torch.equal(known.offsets, offsets)
        ):
            nz, _, nx = self.volume_shape
            self._cached = SliceWeights(
                angles, offsets, SliceShape(nz, nx, self._width), like.dtype
            )
        assert self._cached is not None
        return angles, offsets, self._cached

    def _places(self, tilt: int) -> Tensor:
        """Where the pixels of an image lie in the aligned one."""
        back = turns(-deg_to_rad(self.tilt_axis_deg - 90.0)[None])[0]
        source = (self.volume_shape[1], self._width)
        return places(back, -back @ self.shift[tilt], self.image_shape, source)

    def _checked(self, array: Tensor, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Shape of an array, which must be the one that was agreed on."""
        if tuple(array.shape) != shape:
            raise ValueError(f"expected an array of {shape}, got {tuple(array.shape)}")
        first, second, third = shape
        return first, second, third
