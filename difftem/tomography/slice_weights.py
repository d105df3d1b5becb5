r"""Which pixel sees how much of which voxel: weights that all slices across a tilt axis share.

With the tilt axis along y, every plane of one y is a problem of its own, and all have the same
matrix. The middle of a voxel at (x, z) from the middle, n // 2, is seen at

.. math:: u = x \cos\theta + z \sin\theta + c

and a pixel at i sees that part of the square voxel that lies in its strip,

.. math:: w(i - u), \quad w = \Pi_{|\cos\theta|} * \Pi_{|\sin\theta|} * \Pi_1

with boxes of area 1. So no voxel is lost or counted twice, an even density looks even from
everywhere, and weights have continuous derivatives. What falls beside the detector is lost.
Rows of the matrix are gathered by `torch.nn.functional.embedding_bag`, for many y at a time: on a
CPU two to three times as fast as a sparse matrix product.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

ROWS = 32  # y at a time: what fits into a processor's caches
TAPS = 3  # pixels that see a voxel, at most: it is 0 to sqrt(2) wide
_THIN = 1e-6  # least width of a box
_NOTHING = 1e-6  # share that is none


@dataclass(frozen=True)
class SliceShape:
    """Sizes of a plane across the axis and of what sees it.

    Attributes
    ----------
    nz, nx : int
        Voxels of the plane.
    nu : int
        Pixels across the axis.
    """

    nz: int
    nx: int
    nu: int

    @property
    def voxels(self) -> int:
        """Of the plane."""
        return self.nz * self.nx


class SliceWeights:
    """Projection of planes across the axis, its transpose and its derivatives.

    Volumes are columns ``(nz nx, y)`` here, and images ``(n_tilts nu, y)``.

    Parameters
    ----------
    tilts : Tensor
        rad, shape ``(n_tilts,)``.
    offsets : Tensor
        c in pixels from pixel ``nu // 2``, shape ``(n_tilts,)``.
    shape : SliceShape
        Sizes.
    dtype : torch.dtype
        Of volumes and images.
    """

    def __init__(
        self, tilts: Tensor, offsets: Tensor, shape: SliceShape, dtype: torch.dtype = torch.float32
    ) -> None:
        # Copies, as an optimiser changes its parameters in place.
        self.tilts = tilts.detach().double().clone()
        self.offsets = offsets.detach().double().clone()
        self.shape, self.dtype = shape, dtype
        n, device = len(tilts), tilts.device
        self.pixels = torch.empty(shape.voxels, n, TAPS, dtype=torch.int32, device=device)
        self.shares = torch.empty(self.pixels.shape, dtype=dtype, device=device)
        sorted_by_pixel = []
        for tilt in range(n):
            pixel, distance, _ = self._seen(tilt)
            share = strip(distance, self.tilts[tilt])
            there = (pixel >= 0) & (pixel < shape.nu) & (share > _NOTHING)
            self.shares[:, tilt] = torch.where(there, share, 0.0)
            self.pixels[:, tilt] = pixel.clamp(0, shape.nu - 1) + tilt * shape.nu
            sorted_by_pixel.append(self._by_pixel(pixel[there], share[there], there))
        counts = torch.cat([count for *_, count in sorted_by_pixel])
        self.starts = (counts.cumsum(0) - counts).int()
        self.voxels = torch.cat([voxel for voxel, *_ in sorted_by_pixel])
        self.voxel_shares = torch.cat([share for _, share, _ in sorted_by_pixel])

    def project(
        self,
        columns: Tensor,  # (nz nx, y)
    ) -> Tensor:  # (n_tilts nu, y)
        """Sum voxels along the beam."""
        return _gather(self.voxels, columns, self.starts, self.voxel_shares)

    def back_project(
        self,
        images: Tensor,  # (n_tilts nu, y)
    ) -> Tensor:  # (nz nx, y)
        """Sum pixels over tilts: the transpose of `project`."""
        return _gather(self.pixels.flatten(1), images, None, self.shares.flatten(1))

    def derivatives(
        self,
        columns: Tensor,  # (nz nx, y)
        images: Tensor,  # (n_tilts nu, y)
    ) -> tuple[Tensor, Tensor]:  # (n_tilts,), (n_tilts,)
        """Differentiate the product of `images` with the projection of `columns`.

        Parameters
        ----------
        columns : Tensor
            Volume.
        images : Tensor
            One number for each pixel.

        Returns
        -------
        tuple of Tensor
            By tilts (1/rad) and by offsets (1/pixel), float64.
        """
        by_tilts: list[Tensor] = []
        by_offsets: list[Tensor] = []
        for tilt, angle in enumerate(self.tilts):
            pixel, distance, turning = self._seen(tilt)
            there = (pixel >= 0) & (pixel < self.shape.nu)
            by_distance, by_angle = strip_slopes(distance, angle)
            for slope, gathered in (
                (by_angle - by_distance * turning[:, None], by_tilts),
                (-by_distance, by_offsets),
            ):
                share = torch.where(there, slope, 0.0).to(self.dtype)
                summed = _gather(self.pixels[:, tilt], images, None, share)
                gathered.append((summed * columns).sum(dtype=torch.float64))
        return torch.stack(by_tilts), torch.stack(by_offsets)

    def _seen(self, tilt: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels around each voxel, their distances from it, and the voxel's du/dθ."""
        nz, nx, nu = self.shape.nz, self.shape.nx, self.shape.nu
        angle, device = self.tilts[tilt], self.tilts.device
        z = (torch.arange(nz, dtype=torch.float64, device=device) - nz // 2)[:, None]
        x = torch.arange(nx, dtype=torch.float64, device=device) - nx // 2
        middle = self.offsets[tilt] + nu // 2
        place = (z * angle.sin() + x * angle.cos() + middle).flatten()
        turning = (z * angle.cos() - x * angle.sin()).flatten()
        pixel = place.round()[:, None] + torch.arange(-(TAPS // 2), TAPS // 2 + 1, device=device)
        return pixel, pixel - place[:, None], turning

    def _by_pixel(
        self, pixel: Tensor, share: Tensor, there: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Sort the entries of one tilt by pixel: voxels, shares, how many each pixel has."""
        voxel = torch.arange(self.shape.voxels, dtype=torch.int32, device=pixel.device)
        voxel = voxel[:, None].expand(there.shape)[there]
        pixel = pixel.long()
        order = pixel.argsort(stable=True)
        count = torch.bincount(pixel, minlength=self.shape.nu)
        return voxel[order], share[order].to(self.dtype), count


def strip(
    distance: Tensor,  # (...) pixels
    tilt: Tensor,  # () rad
) -> Tensor:  # (...)
    """Area of a square of side 1, seen at a tilt, in a strip as wide at a distance from its middle.

    Parameters
    ----------
    distance : Tensor
        Of the middle of the strip, in sides.
    tilt : Tensor
        In rad.

    Returns
    -------
    Tensor
        0 to 1; over strips side by side it sums to 1. Its variance is 1/6 at all tilts, that of
        linear interpolation, which it is at tilt 0.
    """
    cosine, sine, corners = _corners(distance, tilt)
    total = torch.zeros_like(distance)
    for sign, *_, edge in corners:
        total += sign * edge.square()
    return total / (2 * cosine * sine)


def strip_slopes(
    distance: Tensor,  # (...) pixels
    tilt: Tensor,  # () rad
) -> tuple[Tensor, Tensor]:  # (...), (...)
    """Differentiate `strip` by distance and by tilt."""
    cosine, sine, corners = _corners(distance, tilt)
    # Of the widths by the tilt.
    wider = -tilt.cos().sign() * tilt.sin(), tilt.sin().sign() * tilt.cos()
    by_distance, by_tilt = torch.zeros_like(distance), torch.zeros_like(distance)
    for sign, a, b, edge in corners:
        by_distance += 2 * sign * edge
        by_tilt += sign * (a * wider[0] + b * wider[1]) * edge
    area = 2 * cosine * sine
    shrinking = wider[0] / cosine + wider[1] / sine
    return by_distance / area, by_tilt / area - strip(distance, tilt) * shrinking


def _corners(
    distance: Tensor, tilt: Tensor
) -> tuple[Tensor, Tensor, list[tuple[int, int, int, Tensor]]]:
    """Widths of the boxes, and where their convolution bends: sign, those of both widths, t > 0."""
    cosine, sine = tilt.cos().abs().clamp_min(_THIN), tilt.sin().abs().clamp_min(_THIN)
    corners = [
        (a * b * c, a, b, (distance + (a * cosine + b * sine + c) / 2).clamp_min(0))
        for a in (-1, 1)
        for b in (-1, 1)
        for c in (-1, 1)
    ]
    return cosine, sine, corners


def _gather(entries: Tensor, rows: Tensor, starts: Tensor | None, weights: Tensor) -> Tensor:
    """Sum weighted rows, for each bag of entries."""
    return embedding_bag(entries, rows.contiguous(), starts, mode="sum", per_sample_weights=weights)
