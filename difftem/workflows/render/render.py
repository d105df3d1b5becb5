"""`difftem.render`: pictures and movies of volumes."""

import logging
from collections.abc import Sequence
from pathlib import Path

from difftem.io.volume import FileAxes
from difftem.simulation.messages import collected
from difftem.workflows.render.load import load_volumes
from difftem.workflows.render.look import LOOKS
from difftem.workflows.render.options import Backdrop, Matter, Preset, RenderOptions, Style
from difftem.workflows.render.result import RenderedVolumes
from difftem.workflows.render.scene import EXTRA, check_drawing, has_pyvista
from difftem.workflows.render.transfer import shared_transfer

logger = logging.getLogger(__name__)


def render(
    volumes: str | Path | Sequence[str | Path],
    *,
    titles: Sequence[str] | None = None,
    style: Style | None = None,
    preset: Preset = "cryo",
    threshold: float | None = None,
    top: float | None = None,
    opacity: float = 1.0,
    azimuth_deg: float = 30.0,
    elevation_deg: float = 15.0,
    backdrop: Backdrop | None = None,
    axes: FileAxes = "auto",
    contrast: Matter = "bright",
    voxel_size: float | None = None,
    crop: Sequence[int] | None = None,
    bin: int | None = None,
    smooth: float = 0.0,
    size: int | None = None,
    memory_limit_gb: float | None = None,
) -> RenderedVolumes:
    """Render volumes side by side, as ``difftem render`` does.

    Parameters
    ----------
    volumes : str, Path or sequence of them
        MRC volumes. All have the same transfer function and camera.
    titles : sequence of str, optional
        Of the panels. Default: names of the files, if there are several.
    style : {"volume", "surface", "slices"}, optional
        Direct volume rendering; the surface at the threshold; or central slices. Default: volume,
        or slices where pyvista is not installed.
    preset : {"cryo", "dark-field"}
        Colours, opacity and light.
    threshold : float, optional
        Grey value below which voxels are transparent, and at which surfaces are. Default: so many
        deviations of the noise above the background as the preset says.
    top : float, optional
        Grey value from which on colour and opacity do not change. Default: the 98th percentile
        of what is above the threshold.
    opacity : float
        Factor on that of the preset.
    azimuth_deg, elevation_deg : float
        Direction of the camera: 0, 0 looks along -z with x to the right and y up, as images are
        seen; 90, 0 looks along -x; an elevation of 90 looks along -y.
    backdrop : {"black", "white"}, optional
        Behind the volume. Default: that of the preset.
    axes : {"auto", "imod", "zyx"}
        Order of the axes in the files, see `difftem.io.volume.read_volume`.
    contrast : {"bright", "dark"}
        How matter looks in the files. Where it is dark, as other programs leave it, grey values
        change their sign before all else.
    voxel_size : float, optional
        Å. Default: that of the headers.
    crop : sequence of int, optional
        x, y, z of the first voxel that is shown, and how many are along x, y, z.
    bin : int, optional
        Average cubes of so many voxels. Default: what leaves 33 million voxels at most.
    smooth : float
        Standard deviation in voxels of a Gaussian that volumes are smoothed with before.
    size : int, optional
        Side of a panel in pixels. Default: 800, 512 in movies, 400 of slices.
    memory_limit_gb : float, optional
        Memory in GB that the run may take. Default: what the machine has free.

    Returns
    -------
    RenderedVolumes
        ``.show()`` shows a picture; ``.save("volume.png")``, ``.save("volume.mp4")`` or
        ``.save("volume.html")`` writes it, a movie once round, or a page that turns it.

    Raises
    ------
    ValueError
        For bad input, or if nothing can be drawn on this machine, in one line.

    Examples
    --------
    >>> import difftem, numpy
    >>> from difftem.io.mrc import write_mrc
    >>> ball = numpy.zeros((16, 16, 16))
    >>> ball[6:10, 6:10, 6:10] = 1
    >>> write_mrc("ball.mrc", ball, 2.0, is_volume=True)
    >>> result = difftem.render("ball.mrc", threshold=0.5, size=64)
    >>> result.image.shape
    (64, 64, 3)
    """
    given = dict(locals())
    paths = given.pop("volumes")
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    for name in ("titles", "crop"):
        given[name] = None if given[name] is None else tuple(given[name])
    options = RenderOptions(**given)
    with collected() as messages:
        chosen = _style(options.style)
        if chosen != "slices":
            check_drawing()
        shown = load_volumes(paths, options)
        transfer = shared_transfer(shown, LOOKS[options.preset], options)
    return RenderedVolumes(shown, transfer, chosen, options, messages)


def _style(asked: Style | None) -> Style:
    """Choose what is drawn: slices are all that is left without pyvista."""
    if has_pyvista():
        return asked or "volume"
    if asked in (None, "slices"):
        if asked is None:
            logger.warning("pyvista is not installed (%s): central slices only", EXTRA)
        return "slices"
    raise ValueError(f"style {asked} needs pyvista ({EXTRA}); --style slices does not")
