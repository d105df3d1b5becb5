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
    """One file that is compared.

    Attributes
    ----------
    name : str
        For tables and titles.
    data : Tensor
        Images ``(n, y, x)`` or a volume ``(z, y, x)``, float32, finite.
    pixel_size : float or None
        Å.
    """

    name: str
    data: Tensor
    pixel_size: float | None


def decided_kind(paths: Sequence[str], asked: CompareKind) -> Kind:
    """Tell whether files hold images or volumes.

    Parameters
    ----------
    paths : sequence of str
        All of them.
    asked : {"auto", "image", "stack", "volume"}
        By the user.

    Returns
    -------
    {"images", "volume"}
        What all are taken for.

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
    unsure = [path for path, (_, sure) in found.items() if not sure]
    if volumes and flat:
        kind = found[flat[0]][0]
        raise input_error(
            flat[0],
            f"holds {'an image' if kind == 'image' else 'a stack of images'}, but {volumes[0]} a "
            "volume; --kind (kind=) says what all are",
        )
    if unsure:
        taken = "volumes, as the others are" if volumes else "stacks of images"
        logger.info(
            "%s: the headers call them images (space group 0); taken as %s (--kind tells it)",
            ", ".join(Path(path).name for path in unsure),
            taken,
        )
    return "volume" if volumes else "images"


def load(path: str, name: str, kind: Kind, asked: CompareKind, axes: FileAxes) -> Compared:
    """Read one file.

    Parameters
    ----------
    path : str
        File.
    name : str
        For tables.
    kind : {"images", "volume"}
        What it is taken for.
    asked : {"auto", "image", "stack", "volume"}
        By the user: ``image`` allows a single one only.
    axes : {"auto", "imod", "zyx"}
        Of volumes, as `difftem.io.volume.read_volume` takes them.

    Returns
    -------
    Compared
        In memory.

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
    """Refuse what has another shape or pixel size.

    Parameters
    ----------
    first, other : Compared
        That are to be compared.
    kind : {"images", "volume"}
        What they are.

    Raises
    ------
    ValueError
        In one line that says both.
    """
    if first.data.shape != other.data.shape:
        hint = ""
        if kind == "volume" and sorted(first.data.shape) == sorted(other.data.shape):
            hint = ": is one in IMOD's order of axes (--axes imod, --truth-axes imod)?"
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


def in_words(data: Tensor, kind: Kind) -> str:
    """Say how large something is."""
    n, ny, nx = data.shape
    if kind == "volume":
        return f"{nx} x {ny} x {n} voxels (x, y, z)"
    many = f"{n} images of " if n > 1 else ""
    return f"{many}{nx} x {ny} pixels (x, y)"


def distinct_names(paths: Sequence[str]) -> list[str]:
    """Names of files, with as many folders as tell them apart."""
    parts = [Path(path).absolute().parts for path in paths]
    names = [each[-1] for each in parts]
    for i, own in enumerate(parts):
        same = [each for j, each in enumerate(parts) if j != i and each[-1] == own[-1]]
        depth = 1
        while depth < len(own) and any(each[-depth:] == own[-depth:] for each in same):
            depth += 1
        if any(each == own for each in same):
            names[i] = f"{own[-1]} ({i + 1})"
        elif same:
            names[i] = "/".join(own[-depth:])
    return names
