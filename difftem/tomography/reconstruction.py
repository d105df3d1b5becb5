r"""Volumes from aligned tilt series: weighted back-projection and SIRT.

Both work on slabs across the tilt axis, in which they know nothing of each other; SIRT goes over
all slabs in every iteration, as its residual is that of all. They have gradients by the images.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from difftem.tomography.ramp import NYQUIST, ramp_filtered, tilt_weights
from difftem.tomography.slice_operators import back_project_slices, project_slices
from difftem.tomography.slice_weights import ROWS, SliceShape, SliceWeights

_FEW = 1e-3  # voxels: rays that see less of the volume say nothing


@dataclass(frozen=True)
class SirtOptions:
    """How SIRT iterates.

    Attributes
    ----------
    iterations : int
        At most.
    relaxation : float
        λ, above 0 and below 2; up to 1 the residual never rises.
    lowest, highest : float
        Box that densities are kept in.
    stop_at : float
        Relative residual at which it ends, seen with the projections of the next iteration, which
        is done; 0: never before all iterations.

    Examples
    --------
    >>> from difftem.tomography.reconstruction import SirtOptions
    >>> options = SirtOptions(iterations=50, lowest=0.0)  # no negative densities
    >>> options.relaxation
    1.0
    """

    iterations: int = 30
    relaxation: float = 1.0
    lowest: float = -math.inf
    highest: float = math.inf
    stop_at: float = 0.0

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {self.iterations}")
        if not 0 < self.relaxation < 2:
            raise ValueError(f"relaxation must be above 0 and below 2, got {self.relaxation}")
        if not self.lowest < self.highest:
            raise ValueError(
                f"the lowest density must be below the highest, got {self.lowest} "
                f"and {self.highest}"
            )
        if not 0 <= self.stop_at < 1:
            raise ValueError(f"the residual to stop at must be 0 to 1, got {self.stop_at}")


@dataclass(frozen=True, eq=False)
class SirtVolume:
    """What SIRT gives.

    Attributes
    ----------
    volume : Tensor
        ``(z, y, x)``.
    residuals : list of float
        Relative residual after 0, 1, 2 ... iterations: the first is 1, that of an empty volume,
        the last that of `volume`.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.reconstruction import SirtOptions, sirt
    >>> images, tilts = torch.ones(3, 4, 16), torch.tensor([-0.5, 0.0, 0.5])  # rad
    >>> found = sirt(images, tilts, thickness=8, options=SirtOptions(iterations=5))
    >>> tuple(found.volume.shape), len(found.residuals)
    ((8, 4, 16), 6)
    """

    volume: Tensor
    residuals: list[float] = field(default_factory=list)


def weighted_back_projection(
    images: Tensor,  # (n_tilts, y, x)
    tilts: Tensor,  # (n_tilts,) rad
    thickness: int,
    cutoff: float = NYQUIST,
    falloff: float = 0.0,
    progress: Callable[[int], None] | None = None,
) -> Tensor:  # (z, y, x)
    r"""Reconstruct a volume from its projections by filtered back-projection.

    .. math:: f(x, z) = \sum_t \Delta\theta_t\, (h * p_t)(x \cos\theta_t + z \sin\theta_t)

    With all tilts of half a turn f is the density in units of a pixel's value per voxel; of a
    smaller range it is the density less its transform in the missing wedge.

    Parameters
    ----------
    images : Tensor
        Aligned, the tilt axis along y through pixel n // 2.
    tilts : Tensor
        In rad, in any order.
    thickness : int
        Voxels along z.
    cutoff, falloff : float
        Of the ramp in cycles/pixel, see `ramp_filtered`.
    progress : callable, optional
        Is told after each slab how many rows are done.

    Returns
    -------
    Tensor
        ``(thickness, y, x)``.

    References
    ----------
    Radermacher, in: Frank (ed.), Electron Tomography (2006), chapter 8.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.projector import TiltProjector
    >>> from difftem.tomography.reconstruction import weighted_back_projection
    >>> x = torch.arange(16.0) - 8
    >>> rod = ((x**2 + x[:, None] ** 2) < 25).float()[:, None]  # of density 1 along y
    >>> tilts = torch.arange(-90.0, 90.0, 10.0)
    >>> images = TiltProjector(tilts, (16, 1, 16), (1, 16))(rod)
    >>> volume = weighted_back_projection(images, tilts.deg2rad(), thickness=16)
    >>> round(volume[6:11, 0, 6:11].mean().item(), 1)  # inside
    1.0
    """
    n, ny, nx = images.shape
    weights, tilts, offsets = _slices(images, tilts, thickness)
    each = tilt_weights(tilts).to(images)[:, None, None]
    slabs = []
    for slab in images.split(ROWS, 1):
        rows = (ramp_filtered(slab, cutoff, falloff) * each).mT.reshape(n * nx, -1)
        slabs.append(back_project_slices(rows, tilts, offsets, weights))
        if progress is not None:
            progress(slab.shape[1])
    return _volume(slabs, (thickness, ny, nx))


def sirt(
    images: Tensor,  # (n_tilts, y, x)
    tilts: Tensor,  # (n_tilts,) rad
    thickness: int,
    options: SirtOptions | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> SirtVolume:
    r"""Reconstruct a volume iteratively (simultaneous iterative reconstruction technique).

    .. math:: f \leftarrow \mathrm{box}\left(f + \lambda C A^T R\, (p - A f)\right)

    with the inverse sums of the rows of A in R and of its columns in C, from f = 0. The residual is
    :math:`|p - A f|_R / |p|_R`, in the norm of R: in it every iteration with λ ≤ 1 is a step
    downhill, with a box too, as C is the inverse of a bound of AᵀRA. That of the
    volume itself takes one more projection at the end, half an iteration.

    Parameters
    ----------
    images : Tensor
        Aligned, the tilt axis along y through pixel n // 2; 0 where there is nothing.
    tilts : Tensor
        In rad, in any order.
    thickness : int
        Voxels along z.
    options : SirtOptions, optional
        How to iterate.
    progress : callable, optional
        Is told after each iteration its number, from 1, and the residual before it.

    Returns
    -------
    SirtVolume
        Densities in units of a pixel's value per voxel, and residuals.

    References
    ----------
    Gregor & Benson, IEEE Trans. Med. Imaging 27 (2008) 918.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.projector import TiltProjector
    >>> from difftem.tomography.reconstruction import SirtOptions, sirt
    >>> x = torch.arange(16.0) - 8
    >>> rod = ((x**2 + x[:, None] ** 2) < 25).float()[:, None]  # of density 1 along y
    >>> tilts = torch.arange(-60.0, 61.0, 10.0)
    >>> images = TiltProjector(tilts, (16, 1, 16), (1, 16))(rod)
    >>> found = sirt(images, tilts.deg2rad(), 16, SirtOptions(iterations=20, lowest=0.0))
    >>> found.residuals[0], found.residuals[-1] < 0.1
    (1.0, True)
    """
    options = options or SirtOptions()
    n, ny, nx = images.shape
    weights, tilts, offsets = _slices(images, tilts, thickness)
    by_ray = weights.project(images.new_ones(weights.shape.voxels, 1))
    by_ray = torch.where(by_ray > _FEW, 1 / by_ray, 0.0)
    by_voxel = weights.back_project(images.new_ones(n * nx, 1))
    by_voxel = torch.where(by_voxel > 0, 1 / by_voxel, 0.0) * options.relaxation
    measured = [slab.mT.reshape(n * nx, -1) for slab in images.split(ROWS, 1)]
    total = sum(_norm(slab, by_ray) for slab in measured)
    slabs = [slab.new_zeros(weights.shape.voxels, slab.shape[1]) for slab in measured]
    residuals: list[float] = []

    def note(left: float) -> None:
        residuals.append(math.sqrt(left / total) if total else 0.0)

    for iteration in range(options.iterations):
        left = 0.0
        for number, seen in enumerate(measured):
            missing = seen - project_slices(slabs[number], tilts, offsets, weights)
            left += _norm(missing, by_ray)
            step = back_project_slices(missing * by_ray, tilts, offsets, weights) * by_voxel
            slabs[number] = (slabs[number] + step).clamp(options.lowest, options.highest)
        note(left)
        if progress is not None:
            progress(iteration + 1, residuals[-1])
        if residuals[-1] <= options.stop_at:
            break
    with torch.no_grad():
        ends = (project_slices(slab, tilts, offsets, weights) for slab in slabs)
        note(sum(_norm(seen - end, by_ray) for seen, end in zip(measured, ends, strict=True)))
    return SirtVolume(_volume(slabs, (thickness, ny, nx)), residuals)


def _slices(images: Tensor, tilts: Tensor, thickness: int) -> tuple[SliceWeights, Tensor, Tensor]:
    """Weights of planes across the axis, with tilts and offsets of which they are made."""
    if images.ndim != 3 or len(images) != len(tilts):
        raise ValueError(
            f"images must be (n_tilts, y, x) for {len(tilts)} tilts, got {tuple(images.shape)}"
        )
    if thickness < 1:
        raise ValueError(f"thickness must be at least 1 voxel, got {thickness}")
    nx = images.shape[-1]
    tilts = tilts.to(images.device, torch.float64)
    offsets = torch.zeros_like(tilts)
    shape = SliceShape(thickness, nx, nx)
    return SliceWeights(tilts, offsets, shape, images.dtype), tilts, offsets


def _norm(missing: Tensor, by_ray: Tensor) -> float:
    """Square of the weighted norm."""
    return float((missing.detach().square() * by_ray).sum(dtype=torch.float64))


def _volume(slabs: Sequence[Tensor], shape: tuple[int, int, int]) -> Tensor:
    """Put slabs, ``(nz nx, y)``, together as ``(z, y, x)``."""
    nz, _, nx = shape
    return torch.cat([slab.reshape(nz, nx, -1).transpose(1, 2) for slab in slabs], 1)
