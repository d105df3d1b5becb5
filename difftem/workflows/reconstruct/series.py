"""A tilt series with its geometry, from whatever files hold it."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.frames import read_frames
from difftem.io.image_stack import SUFFIXES, read_stack
from difftem.scene.files.imod_read import StageTilts, read_tilts, read_xf
from difftem.scene.files.relion_tilts import RelionTilts, read_relion_tilts
from difftem.scene.files.relion_write import Defocus
from difftem.tomography.axis_search import ALL_DEG
from difftem.tomography.common_axis import common_axis
from difftem.tomography.geometry import SingleAxis, single_axis
from difftem.workflows.reconstruct.options import ReconstructOptions

logger = logging.getLogger(__name__)

PROJECT = "tomograms.star"
_BESIDE = (".tlt", ".rawtlt", ".mdoc")
_ALIGNED = ".ali"
_LARGEST = 1e15  # grey values whose squares are summed in single precision
_ALONG_DEG = 0.5  # a tilt along the axis that is worth a word


@dataclass(frozen=True, eq=False)
class LoadedSeries:
    """Images of a tilt series and how they were taken.

    Attributes
    ----------
    name : str
        For messages and titles.
    images : Tensor
        Grey values, ``(n_tilts, y, x)``, float32.
    geometry : SingleAxis
        Of these images.
    pixel_size : float or None
        Å.
    thickness : int or None
        Voxels, where a file says it.
    defocus : list of Defocus
        Of each image; empty if unknown.
    turn_deg : float
        The volume is the sample, turned by the negative of it about z.
    axis_sought : tuple of float, optional
        Direction about which the tilt axis is to be searched for, None for anywhere, and how far
        to both sides, in degrees.
    voltage_kv, cs_mm, amplitude_contrast : float or None
        Of the microscope, where a file says it.
    """

    name: str
    images: Tensor
    geometry: SingleAxis
    pixel_size: float | None
    thickness: int | None
    defocus: list[Defocus]
    turn_deg: float = 0.0
    axis_sought: tuple[float | None, float] | None = None
    voltage_kv: float | None = None
    cs_mm: float | None = None
    amplitude_contrast: float | None = None


def load_series(source: str | Path, options: ReconstructOptions) -> LoadedSeries:
    """Read images and geometry.

    Parameters
    ----------
    source : str or Path
        Images (MRC, TIFF, zarr); RELION's ``tomograms.star`` or the table of a series; or a folder
        that holds a ``tomograms.star``, as difftem's do.
    options : ReconstructOptions
        What is said of angles, axis and pixels.

    Returns
    -------
    LoadedSeries
        At least two tilts.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    source = Path(source)
    if source.is_dir() and source.suffix != SUFFIXES["zarr"]:
        if not (source / PROJECT).is_file():
            raise input_error(source, f"holds no {PROJECT}: name the file of images")
        source = source / PROJECT
    if source.suffix.lower() == ".star":
        series = _relion(read_relion_tilts(source, options.tomogram), None, options)
    else:
        images, pixel_size = _images(source)
        told = Path(options.angles) if options.angles is not None else None
        if told is not None and told.suffix.lower() == ".star":
            tilts = read_relion_tilts(told, options.tomogram)
            series = _relion(tilts, (source, images, pixel_size), options)
        else:
            series = _imod(source, images, pixel_size, options)
    n, tilts_deg = len(series.images), series.geometry.tilts_deg
    if n < 2 or float(tilts_deg.max() - tilts_deg.min()) < 1e-3:
        what = "one projection" if n == 1 else f"{n} projections at one tilt"
        raise ValueError(f"{series.name}: {what}, a volume needs at least two tilts")
    return series


def _relion(
    tilts: RelionTilts,
    given: tuple[Path, Tensor, float | None] | None,
    options: ReconstructOptions,
) -> LoadedSeries:
    """Series that RELION describes, of its own images or of others."""
    told = {
        "--tilt-axis": options.tilt_axis_deg,
        "--search-axis": options.search_axis_deg,
        "--transforms": options.transforms,
    }
    for name, value in told.items():
        if value is not None:
            raise ValueError(
                f"{tilts.name}: RELION's file says how the axis runs: leave {name} out"
            )
    n = len(tilts.images)
    if given is not None:
        source, images, pixel_size = given
        if len(images) != n:
            raise input_error(source, f"{len(images)} images, but {n} tilts in {options.angles}")
        name = source.name
    else:
        stacks = {path: _images(path) for path in dict.fromkeys(path for path, _ in tilts.images)}
        for path, number in tilts.images:
            if number >= len(stacks[path][0]):
                raise input_error(
                    path, f"has {len(stacks[path][0])} images, but {number + 1} is asked for"
                )
        images = torch.stack([stacks[path][0][number] for path, number in tilts.images])
        pixel_size, name = next(iter(stacks.values()))[1], tilts.name
    pixel_size = options.pixel_size or tilts.pixel_size or pixel_size
    if pixel_size is None:
        raise ValueError(
            f"{name}: RELION's shifts are in Å: tell the pixel size (--pixel-size); "
            "see difftem docs geometry"
        )
    geometry, turn, along = common_axis(tilts.rotations, tilts.shifts / pixel_size)
    if abs(turn) > 0.05:
        logger.info(
            "%s: y of the volume is the tilt axis: the sample, turned by %.2f° about z", name, -turn
        )
    if along > _ALONG_DEG:
        logger.warning(
            "%s: the sample is tilted along the axis too, by up to %.2f°, which is not undone",
            name,
            along,
        )
    return LoadedSeries(
        name,
        images,
        geometry,
        pixel_size,
        tilts.thickness,
        tilts.defocus,
        turn,
        voltage_kv=tilts.voltage_kv,
        cs_mm=tilts.cs_mm,
        amplitude_contrast=tilts.amplitude_contrast,
    )


def _imod(
    source: Path, images: Tensor, pixel_size: float | None, options: ReconstructOptions
) -> LoadedSeries:
    """Series with IMOD's and SerialEM's files."""
    n = len(images)
    if n == 1:
        raise input_error(source, "one projection, a volume needs at least two tilts")
    path = Path(options.angles) if options.angles is not None else _beside(source)
    stage = read_tilts(path)
    if len(stage.tilts_deg) != n:
        raise input_error(path, f"{len(stage.tilts_deg)} angles, but {source.name} has {n} images")
    sought: tuple[float | None, float] | None = None
    if options.transforms is not None:
        shape = (images.shape[1], images.shape[2])
        matrices, shifts = read_xf(options.transforms, shape)
        if len(matrices) != n:
            raise input_error(
                options.transforms, f"{len(matrices)} transforms, but {source.name} has {n} images"
            )
        if options.tilt_axis_deg is not None or options.search_axis_deg is not None:
            raise ValueError(
                "tilt_axis_deg (--tilt-axis, --search-axis) and transforms (--transforms) both "
                "tell how images are turned: give one; see difftem docs tilt-axis"
            )
        geometry = SingleAxis(stage.tilts_deg, matrices, shifts)
    elif options.tilt_axis_deg == "search":
        geometry, sought = single_axis(stage.tilts_deg), (None, ALL_DEG)
    else:
        axis = _axis(source, path, stage, options)
        reach = options.search_axis_deg
        geometry = single_axis(stage.tilts_deg, axis)
        if reach is not None:
            sought = axis, reach
    return LoadedSeries(
        source.name,
        images,
        geometry,
        options.pixel_size or stage.pixel_size or pixel_size,
        None,
        [],
        axis_sought=sought,
    )


def _axis(source: Path, angles: Path, stage: StageTilts, options: ReconstructOptions) -> float:
    """Direction of the tilt axis."""
    if isinstance(options.tilt_axis_deg, int | float):
        return options.tilt_axis_deg
    if stage.tilt_axis_deg is not None:
        return stage.tilt_axis_deg
    if source.suffix.lower() == _ALIGNED:
        return 90.0
    beside = angles.with_suffix(".xf")
    hint = f", or --transforms {beside}" if beside.is_file() else ", or --transforms FILE.xf"
    raise input_error(
        source,
        "no file says how the tilt axis runs: --tilt-axis 90 for images with a vertical axis (as "
        f"aligned ones), 0 for a horizontal one{hint}; or --tilt-axis search; see difftem docs "
        "tilt-axis",
    )


def _beside(source: Path) -> Path:
    """File of angles beside the images."""
    whole = source if source.suffix.lower() != ".gz" else source.with_suffix("")
    stem = whole.with_suffix("")
    for suffix in _BESIDE:
        for path in (stem.with_suffix(suffix), source.with_name(source.name + suffix)):
            if path.is_file():
                return path
    raise input_error(
        source, f"no angles beside it ({', '.join(stem.name + s for s in _BESIDE)}): --angles FILE"
    )


def _images(path: Path) -> tuple[Tensor, float | None]:
    """Images of a file, and its pixel size; pixels without a number get the image's mean."""
    if path.suffix == SUFFIXES["zarr"]:
        data, size = read_stack(path)
        pixel_size: float | None = size
    else:
        frames = read_frames(path)
        for note in frames.notes:
            logger.warning("%s: %s", path.name, note)
        data, pixel_size = frames.data, frames.pixel_size
    images = torch.from_numpy(np.array(data, dtype=np.float32))
    images = images.reshape(-1, *images.shape[-2:])
    bad = ~(images.abs() < _LARGEST)
    if bool(bad.any()):
        logger.warning("%s: %d pixels without a number get the mean", path.name, int(bad.sum()))
    for number, (image, where) in enumerate(zip(images, bad, strict=True), start=1):
        if bool(where.all()) or bool((image[~where] == image[~where][0]).all()):
            raise input_error(path, f"image {number} of {len(images)} has one grey value or none")
        image[where] = image[~where].mean()
    return images, pixel_size
