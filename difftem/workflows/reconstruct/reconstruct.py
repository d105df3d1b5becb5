"""`difftem.reconstruct`: a volume from a tilt series."""

import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.simulation.device import accelerator_device
from difftem.simulation.messages import collected
from difftem.tomography.reconstruction import sirt, weighted_back_projection
from difftem.workflows.reconstruct.memory import check_reconstruct_memory
from difftem.workflows.reconstruct.options import (
    Align,
    Axes,
    Background,
    Contrast,
    Method,
    ReconstructOptions,
)
from difftem.workflows.reconstruct.prepare import prepared
from difftem.workflows.reconstruct.result import ReconstructedVolume
from difftem.workflows.reconstruct.series import LoadedSeries, load_series


def reconstruct(
    tilt_series: str | Path,
    *,
    angles: str | Path | None = None,
    transforms: str | Path | None = None,
    tomogram: str | None = None,
    method: Method = "sirt",
    thickness: int | None = None,
    tilt_axis_deg: float | Literal["search"] | None = None,
    search_axis_deg: float | None = None,
    axis_offset: float = 0.0,
    tilt_offset_deg: float = 0.0,
    pixel_size: float | None = None,
    bin: int = 1,
    contrast: Contrast = "dark",
    background: Background = "auto",
    align: Align = "none",
    flip_phases: bool = False,
    defocus_um: float | None = None,
    voltage_kv: float | None = None,
    cs_mm: float | None = None,
    amplitude_contrast: float | None = None,
    iterations: int = 30,
    relaxation: float = 1.0,
    lowest: float | None = None,
    highest: float | None = None,
    stop_at: float = 0.0,
    cutoff: float = 0.35,
    falloff: float = 0.035,
    axes: Axes = "imod",
    accelerator: Literal["cpu", "cuda"] = "cpu",
    memory_limit_gb: float | None = None,
) -> ReconstructedVolume:
    """Reconstruct a volume from a single-axis tilt series, as ``difftem reconstruct`` does.

    Parameters
    ----------
    tilt_series : str or Path
        Images (MRC, TIFF, zarr); RELION's ``tomograms.star`` or the table of one series; or a
        folder that difftem has made, with a ``tomograms.star`` in it.
    angles : str or Path, optional
        Tilts of the images: ``.tlt``, ``.rawtlt`` or other text with one angle in degrees a line,
        in any order; SerialEM's ``.mdoc``; or RELION's STAR file, with all of the geometry.
        Default: the file of that kind beside the images.
    transforms : str or Path, optional
        IMOD's ``.xf``, raw images to aligned ones. Without it images are taken as they are, but
        for `tilt_axis_deg` and `axis_offset`.
    tomogram : str, optional
        Which one of a STAR file that has several.
    method : {"sirt", "wbp"}
        SIRT, or weighted back-projection.
    thickness : int, optional
        Along z in pixels of the images before binning, as IMOD counts it. Default: that of RELION's
        file.
    tilt_axis_deg : float or "search", optional
        Direction of the tilt axis in the images, counter-clockwise from x in degrees: 90 is
        vertical, IMOD's rotation angle is 90 less. Default: what the ``.mdoc`` says, 90 of
        ``.ali``; else it must be told, or be searched for in the images, which do not tell which
        of two opposite directions it is, and so not the hand: that from -45 to 135 is taken.
    search_axis_deg : float, optional
        Search within so many degrees of that direction.
    axis_offset : float
        How far right of pixel n // 2 the axis is in the aligned images, in pixels before binning.
    tilt_offset_deg : float
        Added to all tilts, in degrees.
    pixel_size : float, optional
        Å. Default: that of the files.
    bin : int
        Average squares of so many pixels first.
    contrast : {"dark", "bright"}
        How matter looks in the images: dark (bright field, cryo) or bright (dark field, HAADF).
        The volume is bright where there is matter.
    background : {"auto", "mean", "border", "none"}
        Grey value that stands for no matter: the image's mean (``auto`` of dark matter), the median
        of its border (``auto`` of bright matter), or 0.
    align : {"none", "correlate", "mass"}
        Find shifts first: by correlation of neighbours, stretched by 1/cos; or for an object with
        nothing around it by its centre of mass.
    flip_phases : bool
        Flip the phases of what the lens has turned bright, with the defocus of each strip of a
        tilted sample.
    defocus_um : float, optional
        Of all tilts on the axis in µm, underfocus positive. Default: that of RELION's file.
    voltage_kv, cs_mm, amplitude_contrast : float, optional
        Of the microscope. Default: RELION's file; a contrast of 0.07 where none is told.
    iterations : int
        Of SIRT.
    relaxation : float
        Of SIRT, above 0 and below 2.
    lowest, highest : float, optional
        Box of SIRT: densities are kept within; 0 as the lowest keeps them positive.
    stop_at : float
        Relative residual at which SIRT ends early; 0: never.
    cutoff, falloff : float
        Of the ramp of weighted back-projection: where its Gaussian edge begins and how wide it is,
        in cycles/pixel, as IMOD's RADIAL.
    axes : {"imod", "zyx"}
        Order of the axes in the file that ``.save()`` writes: IMOD's (columns x, rows -z, sections
        y), or sections along z.
    accelerator : {"cpu", "cuda"}
        What computes.
    memory_limit_gb : float, optional
        Memory in GB that the run may take. Default: what the machine has free.

    Returns
    -------
    ReconstructedVolume
        ``.show()`` draws slices, ``.save("volume.mrc")`` writes it.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem, numpy
    >>> from difftem.io.mrc import write_mrc, write_rawtlt
    >>> series = numpy.zeros((3, 8, 12))
    >>> series[:, 4, 6] = 1  # a point on the axis
    >>> write_mrc("tilts.mrc", series, 2.0)
    >>> write_rawtlt("tilts.rawtlt", [-30, 0, 30])
    >>> result = difftem.reconstruct(
    ...     "tilts.mrc", tilt_axis_deg=90, thickness=6, contrast="bright"
    ... )
    >>> result.volume.shape, int(result.volume.argmax()) == (3 * 8 + 4) * 12 + 6
    (torch.Size([6, 8, 12]), True)
    """
    given = dict(locals())
    source = given.pop("tilt_series")
    for each in ("angles", "transforms"):
        given[each] = None if given[each] is None else str(given[each])
    options = ReconstructOptions(**given)
    with collected() as messages:
        series = load_series(source, options)
        thick = _thickness(series, options)
        device = accelerator_device(options.accelerator)
        shape = (series.images.shape[1] // options.bin, series.images.shape[2] // options.bin)
        rows, columns = series.geometry.aligned_shape(shape)
        check_reconstruct_memory(
            len(series.images), (thick, rows, columns), series.images.numel(), options
        )
        images, geometry, axis = prepared(series, options, thick)
        # What was read is not needed again.
        series = replace(series, images=series.images[:1, :1, :1].clone())
        started = time.perf_counter()
        tilts = torch.deg2rad(geometry.tilts_deg).to(device)
        volume, residuals = _reconstruct(images.to(device), tilts, thick, options, series.name)
    return ReconstructedVolume(
        series.name,
        volume.cpu(),
        None if series.pixel_size is None else series.pixel_size * options.bin,
        options.method,
        geometry,
        residuals,
        series.turn_deg,
        axis,
        asdict(options),
        messages,
        time.perf_counter() - started,
    )


def _thickness(series: LoadedSeries, options: ReconstructOptions) -> int:
    """Voxels along z, after binning."""
    pixels = options.thickness or series.thickness
    if pixels is None:
        raise ValueError(
            f"{series.name}: no file says how thick the volume is to be: --thickness N, in pixels "
            "of the images; see difftem docs geometry"
        )
    return max(1, round(pixels / options.bin))


def _reconstruct(
    images: Tensor, tilts: Tensor, thickness: int, options: ReconstructOptions, name: str
) -> tuple[Tensor, list[float]]:
    """Run the method with a progress bar."""
    hidden = not sys.stderr.isatty()
    if options.method == "wbp":
        with tqdm(total=images.shape[1], desc=name, unit="row", disable=hidden) as bar:
            volume = weighted_back_projection(
                images, tilts, thickness, options.cutoff, options.falloff, bar.update
            )
        return volume, []
    with tqdm(total=options.iterations, desc=name, disable=hidden) as bar:

        def tell(iteration: int, residual: float) -> None:
            bar.set_postfix_str(f"residual {residual:.4g}", refresh=False)
            bar.update(iteration - bar.n)

        found = sirt(images, tilts, thickness, options.sirt, tell)
    return found.volume, found.residuals
