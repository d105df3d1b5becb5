"""Files that are compared: what they are, read one by one, and that they fit to one another."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from difftem.io.array_kind import array_kind
from difftem.io.errors import input_error
from difftem.io.files import unpacked_suffix
from difftem.io.frames import read_frames
from difftem.io.image_stack import read_stack
from difftem.io.volume import FileAxes, read_volume
from difftem.workflows.compare.options import CompareKind

logger = logging.getLogger(__name__)

Kind = Literal["images", "volume"]
_SAME = 0.01  # relative difference of pixel sizes that is a rounding


@dataclass(frozen=True, eq=False)
class Compared:
    """One file: images ``(n, y, x)`` or a volume ``(z, y, x)``, float32 and finite; Å."""

    name: str
    data: Tensor
    pixel_size: float | None


def decided_kind(paths: Sequence[str], asked: CompareKind) -> Kind:
    """Tell what all files are taken for, by the user's word or by themselves.

    Raises
    ------
    InputError
        If some are volumes and others are not, or one is missing.
    """
    found = {path: array_kind(path) for path in paths}
    if asked != "auto":
        return "volume" if asked == "volume" else "images"
    volumes = [path for path, (kind, _) in found.items() if kind == "volume"]
    flat = [path for path, (kind, sure) in found.items() if kind != "volume" and sure]
    unsure = [Path(path).name for path, (_, sure) in found.items() if not sure]
    if volumes and flat:
        what = "an image" if found[flat[0]][0] == "image" else "a stack of images"
        raise input_error(
            flat[0],
            f"holds {what}, but {volumes[0]} a volume; --kind (kind=) says what all are",
        )
    if unsure:
        logger.info(
            "%s: the headers call them images (space group 0); taken as %s (--kind tells it)",
            ", ".join(unsure),
            "volumes, as the others are" if volumes else "stacks of images",
        )
    return "volume" if volumes else "images"


def load(path: str, name: str, kind: Kind, asked: CompareKind, axes: FileAxes) -> Compared:
    """Read one file; if the user has said ``image`` it may hold one only.

    Raises
    ------
    InputError
        If it cannot be read, or has values that are not finite.
    """
    if kind == "volume":
        volume = read_volume(path, axes)
        # A file that is mapped into memory may not be written to, which PyTorch warns of.
        data = np.require(volume.data, requirements="W")
        return Compared(name, torch.from_numpy(data), volume.voxel_size)
    if unpacked_suffix(path) == ".zarr":
        found, size = read_stack(Path(path))
        pixel_size: float | None = size or None
    else:
        frames = read_frames(path)
        found, pixel_size = frames.data, frames.pixel_size
    if asked == "image" and len(found) > 1:
        raise input_error(path, f"holds {len(found)} images, expected one (--kind stack)")
    images = torch.from_numpy(np.array(found, np.float32))
    bad = images.numel() - int(images.isfinite().sum())
    if bad:
        raise input_error(path, f"{bad} of {images.numel()} pixels are not finite")
    return Compared(name, images, pixel_size)


def check_fits(first: Compared, other: Compared, kind: Kind) -> None:
    """Refuse what has another shape or pixel size, in one line that says both."""
    if first.data.shape != other.data.shape:
        hint = ""
        if kind == "volume" and sorted(first.data.shape) == sorted(other.data.shape):
            hint = ": is one in IMOD's order of axes (--axes imod, --truth-axes imod)?"
        if kind == "volume" and _is_binned(first.data, other.data):
            hint = ": nothing is resampled; bin the larger one, or reconstruct with another --bin"
        raise ValueError(
            f"{other.name} has {in_words(other.data, kind)}, but {first.name} "
            f"{in_words(first.data, kind)}{hint}"
        )
    one, two = first.pixel_size, other.pixel_size
    if one is not None and two is not None and abs(one - two) > _SAME * max(one, two):
        raise ValueError(
            f"{other.name} has pixels of {two:.4g} Å, but {first.name} of {one:.4g} Å: resample "
            "one, or give --pixel-size (pixel_size=) if a header is wrong"
        )


def _is_binned(first: Tensor, other: Tensor) -> bool:
    """Whether one has a whole fraction of the other's voxels along each axis."""
    small, large = sorted((first.shape, other.shape))
    ratios = {wide / narrow for narrow, wide in zip(small, large, strict=True)}
    return len(ratios) == 1 and ratios.pop().is_integer()


def in_words(data: Tensor, kind: Kind) -> str:
    """Say how large something is."""
    n, ny, nx = data.shape
    if kind == "volume":
        return f"{nx} x {ny} x {n} voxels (x, y, z)"
    return f"{f'{n} images of ' if n > 1 else ''}{nx} x {ny} pixels (x, y)"


def distinct_names(paths: Sequence[str]) -> list[str]:
    """Names of files: with their folder, or else a number, where a name comes twice."""
    short = [Path(path).name for path in paths]
    longer = ["/".join(Path(path).absolute().parts[-2:]) for path in paths]
    names = [b if short.count(a) > 1 else a for a, b in zip(short, longer, strict=True)]
    return [f"{each} ({i + 1})" if names.count(each) > 1 else each for i, each in enumerate(names)]
