"""What is done to the images of a tilt series before they are reconstructed."""

import logging
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from difftem.tomography.alignment import centred_mass, correlated_shifts
from difftem.tomography.axis_search import AxisFound, search_axis
from difftem.tomography.geometry import SingleAxis, single_axis
from difftem.tomography.resample import align_image
from difftem.workflows.reconstruct.flip import with_flipped_phases
from difftem.workflows.reconstruct.options import ReconstructOptions
from difftem.workflows.reconstruct.series import LoadedSeries

logger = logging.getLogger(__name__)


class Prepared(NamedTuple):
    """Images that can be reconstructed, how they came about, and the axis if it was sought."""

    images: Tensor  # (n_tilts, y, x), the tilt axis is y, through pixel n // 2
    geometry: SingleAxis  # of the images before, with what the alignment found
    axis: AxisFound | None


def prepared(series: LoadedSeries, options: ReconstructOptions, thickness: int) -> Prepared:
    """Bin, take the background off, give matter positive values, and align.

    Parameters
    ----------
    series : LoadedSeries
        As it was read.
    options : ReconstructOptions
        What was asked for.
    thickness : int
        Of the volume in voxels.

    Returns
    -------
    Prepared
        Images, geometry, axis.

    Raises
    ------
    ValueError
        If binning leaves nothing, or no tilt axis is found.
    """
    images, geometry = series.images, series.geometry
    shape = (images.shape[1], images.shape[2])
    if min(shape) < 2 * options.bin:
        raise ValueError(f"bin {options.bin} leaves nothing of {shape[1]} x {shape[0]} pixels")
    if not abs(options.axis_offset) < max(shape) / 2:
        raise ValueError(
            f"axis_offset (--axis-offset) must lie in the images, within {max(shape) // 2} pixels, "
            f"got {options.axis_offset:g}"
        )
    if options.bin > 1:
        images = avg_pool2d(images, options.bin)
        geometry = geometry.binned(options.bin, shape)
    level = background(images, options)[:, None, None]
    images = level - images if options.contrast == "dark" else images - level
    geometry = SingleAxis(
        geometry.tilts_deg + options.tilt_offset_deg, geometry.matrices, geometry.shifts
    )
    axis = None
    if series.axis_sought is not None:
        tilts = torch.deg2rad(geometry.tilts_deg)
        axis = search_axis(images, tilts, thickness, *series.axis_sought)
        _tell(series.name, axis)
        geometry = single_axis(geometry.tilts_deg, axis.axis_deg, geometry.shifts)
    geometry = geometry.with_axis_offset(options.axis_offset / options.bin)
    if options.align != "none":
        found = aligned_images(images, geometry)
        move = correlated_shifts if options.align == "correlate" else centred_mass
        by = move(found, torch.deg2rad(geometry.tilts_deg))
        turned = (geometry.matrices @ by.to(geometry.matrices)[..., None]).squeeze(-1)
        geometry = geometry.moved(turned)
        logger.info(
            "%s: images moved by %.2f pixels (root mean square) to align them",
            series.name,
            float(by.square().sum(1).mean().sqrt()),
        )
    if options.flip_phases:
        images = with_flipped_phases(images, geometry, series, options)
    return Prepared(aligned_images(images, geometry), geometry, axis)


def _tell(name: str, axis: AxisFound) -> None:
    """Say what was found, and what cannot be."""
    logger.info(
        "%s: tilt axis at %.2f ± %.2f° from x (%s; halves of the tilts: %.2f°, %.2f°; IMOD's "
        "rotation: %.2f°). 180° more fits as well, and gives the mirror image: images do not tell",
        name,
        axis.axis_deg,
        axis.sd_deg,
        axis.method,
        *axis.halves_deg,
        axis.axis_deg - 90.0,
    )


def background(images: Tensor, options: ReconstructOptions) -> Tensor:  # (n_tilts,)
    """Grey value of each image that stands for no matter.

    Parameters
    ----------
    images : Tensor
        ``(n_tilts, y, x)``.
    options : ReconstructOptions
        ``mean`` of the image; ``border``: the median of its outermost pixels; ``auto``: the mean
        of dark matter, the border of bright.

    Returns
    -------
    Tensor
        Shape ``(n_tilts,)``.
    """
    kind = options.background
    if kind == "auto":
        kind = "mean" if options.contrast == "dark" else "border"
    if kind == "none":
        return images.new_zeros(len(images))
    if kind == "mean":
        return images.mean((1, 2))
    width = max(1, min(images.shape[1:]) // 50)
    outside = torch.ones(images.shape[1:], dtype=torch.bool)
    outside[width:-width, width:-width] = False
    return images[:, outside].median(1).values


def aligned_images(images: Tensor, geometry: SingleAxis) -> Tensor:  # (n_tilts, y, x)
    """Turn and shift images; outside of them there is background, 0."""
    if geometry.is_aligned:
        return images
    shape = geometry.aligned_shape((images.shape[1], images.shape[2]))
    transforms = zip(images, geometry.matrices, geometry.shifts, strict=True)
    return torch.stack([align_image(*each, shape) for each in transforms])
