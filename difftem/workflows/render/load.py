"""Volumes to render: read, cropped, smoothed, binned, all in the same way."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn.functional import avg_pool3d

from difftem.io.mrc_size import count_values
from difftem.io.volume import read_volume
from difftem.simulation.memory import check_memory
from difftem.workflows.render.options import RenderOptions

logger = logging.getLogger(__name__)

MOST_VOXELS = 320**3  # of one that is shown: larger ones are binned unless told otherwise
# Libraries; a voxel of the file, with its copies; its triangles in a surface of noise; a voxel of a
# volume that was read before.
BASE_BYTES, VOXEL_BYTES, SURFACE_BYTES, SHOWN_BYTES = 700e6, 16, 12, 12


@dataclass(frozen=True, eq=False)
class ShownVolume:
    """A volume as it is shown.

    Attributes
    ----------
    title : str
        Of its panel.
    data : Tensor
        ``(z, y, x)``, float32.
    voxel_size : float or None
        Å, after binning.
    bin : int
        Cubes of so many voxels were averaged.
    """

    title: str
    data: Tensor
    voxel_size: float | None
    bin: int

    @property
    def sides(self) -> tuple[float, float, float]:
        """Lengths along x, y, z in Å, or in voxels of the file if their size is not known."""
        nz, ny, nx = self.data.shape
        side = self.voxel_size or float(self.bin)
        return nx * side, ny * side, nz * side


def load_volumes(paths: Sequence[str | Path], options: RenderOptions) -> list[ShownVolume]:
    """Read and prepare volumes.

    Parameters
    ----------
    paths : sequence of str or Path
        MRC volumes.
    options : RenderOptions
        What was asked for.

    Returns
    -------
    list of ShownVolume
        In their order.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    if not paths:
        raise ValueError("no volume is given")
    titles = options.titles or _titles([Path(path) for path in paths])
    if len(titles) != len(paths):
        raise ValueError(f"{len(titles)} titles (--titles) for {len(paths)} volumes")
    read: list[tuple[str, Tensor, float | None]] = []
    each = VOXEL_BYTES + (SURFACE_BYTES if options.style == "surface" else 0)
    for path, title in zip(paths, titles, strict=True):
        kept = sum(data.numel() for _, data, _ in read)
        if Path(path).is_file():
            check_memory(
                BASE_BYTES + each * count_values(Path(path)) + SHOWN_BYTES * kept,
                limit_gb=options.memory_limit_gb,
                advice="a volume that was binned or cut beforehand would do",
            )
        volume = read_volume(path, options.axes, options.voxel_size)
        data = _cropped(str(path), torch.from_numpy(volume.data), options.crop)
        data = -data if options.contrast == "dark" else data
        read.append((title, data, volume.voxel_size))
    if len({size is None for *_, size in read}) > 1:
        raise ValueError("some volumes have a voxel size and some have none: give --voxel-size")
    largest = max(data.numel() for _, data, _ in read)
    bins = options.bin or max(1, math.ceil((largest / MOST_VOXELS) ** (1 / 3)))
    if bins > 1 and options.bin is None:
        logger.info("cubes of %d voxels are averaged to show them (--bin 1: none are)", bins)
    return [
        ShownVolume(title, _prepared(title, data, bins, options.smooth), size and size * bins, bins)
        for title, data, size in read
    ]


def _titles(paths: Sequence[Path]) -> tuple[str, ...]:
    """Names of the files, with their folders where a name comes twice."""
    stems = [path.stem for path in paths]
    folders = [path.absolute().parent.name for path in paths]
    return tuple(
        f"{folder}/{stem}" if stems.count(stem) > 1 else stem
        for folder, stem in zip(folders, stems, strict=True)
    )


def _cropped(name: str, data: Tensor, crop: tuple[int, ...] | None) -> Tensor:
    """Part that was asked for."""
    if crop is None:
        return data
    parts = []
    for axis, (first, length, n) in enumerate(
        zip(crop[:3], crop[3:], reversed(data.shape), strict=True)
    ):
        if first + length > n:
            raise ValueError(
                f"{name}: crop (--crop) of {length} voxels from {first} on along {'xyz'[axis]} is "
                f"not within the {n} there are"
            )
        parts.append(slice(first, first + length))
    return data[parts[2], parts[1], parts[0]].clone()


def _prepared(name: str, data: Tensor, bins: int, smooth: float) -> Tensor:
    """Smooth and bin."""
    if smooth > 0:
        data = torch.from_numpy(gaussian_filter(data.numpy(), smooth, mode="nearest"))
    if min(data.shape) < 2 * bins:
        size = " x ".join(map(str, reversed(data.shape)))
        raise ValueError(f"{name}: bin {bins} leaves less than 2 of {size} voxels (x, y, z)")
    if bins > 1:
        data = avg_pool3d(data[None, None], bins)[0, 0]
    if not bool(data.max() > data.min()):
        raise ValueError(f"{name}: the part that is shown is constant")
    return data
