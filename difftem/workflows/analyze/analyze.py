"""`difftem.analyze`: which columns an image shows, and which of them are real."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from numpy.typing import ArrayLike
from torch import Tensor

from difftem.analysis.atomic_columns import Contrast
from difftem.io.errors import input_error
from difftem.simulation.messages import collected
from difftem.workflows.analyze.frame import analyze_frame
from difftem.workflows.analyze.options import AnalyzeOptions, PresentColumn, TestedColumns
from difftem.workflows.analyze.result import AnalysisResult
from difftem.workflows.denoise.exposures import input_of_array, inputs_of_files
from difftem.workflows.denoise.options import DenoiseFrames, DenoiseOptions

_OWN = ("columns", "present", "contrast", "radius", "null_frames", "level", "vacuum", "tolerance")


def analyze(
    image: str | Path | ArrayLike | Tensor,
    *,
    method: str = "auto",
    weights: str | Path | None = None,
    pixel_size: float | None = None,
    gain: float | None = None,
    dose: float | None = None,
    frames: DenoiseFrames = "auto",
    columns: TestedColumns = "surface",
    present: PresentColumn = "neighbours",
    contrast: Contrast = "white",
    radius: float = 0.75,
    null_frames: int = 59,
    level: float = 0.05,
    vacuum: float | None = None,
    gradient: Sequence[tuple[int, int]] = (),
    truth: str | Path | None = None,
    tolerance: float = 0.6,
    balance: bool = True,
    force: bool = False,
    seed: int = 0,
    accelerator: Literal["cpu", "cuda"] = "cpu",
) -> AnalysisResult:
    """Find the atomic columns of a denoised image and test them, as ``difftem analyze`` does.

    Parameters
    ----------
    image : str, Path, array_like or Tensor
        MRC or TIFF file of counted electrons; or grey values, ``(y, x)`` or exposures of one field
        ``(n, y, x)``.
    method, weights, gain, dose, frames, balance, force, accelerator
        As of `difftem.denoise`.
    pixel_size : float, optional
        Å. Default: that of the header.
    columns : {"surface", "all", "none"}
        Which are tested; each group of columns that are far from each other takes `null_frames`
        more runs of the denoiser.
    present : {"neighbours", "denoised"}
        What a column that is there looks like: its nearest neighbours, which has more power, or
        itself in the denoised image.
    contrast : {"white", "black"}
        Whether columns are brighter than what is around them.
    radius : float
        Of the disc that a column takes, core and ring, Å.
    null_frames : int
        Frames without the column that its threshold is from.
    level : float
        Share of false positives.
    vacuum : float, optional
        Electrons per pixel, for SBD's ratio. Default: what lies further than 4 Å from all columns.
    gradient : sequence of tuple of int
        x and y of pixels whose gradient maps are made. Default: one column at a surface, one of the
        bulk, one pixel of vacuum.
    truth : str or Path, optional
        CSV file of true columns, ``x_pixel`` and ``y_pixel``, perhaps ``surface``.
    tolerance : float
        Å between a found and a true column.
    seed : int
        Of the null frames.

    Returns
    -------
    AnalysisResult
        ``.summary`` says it, ``.show()`` draws it, ``.save("folder")`` writes it.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem, numpy
    >>> rng, at = numpy.random.default_rng(0), numpy.mgrid[:96, :96]
    >>> spots = sum(numpy.exp(-((at[0] - y) ** 2 + (at[1] - 48) ** 2) / 50) for y in (28, 68))
    >>> result = difftem.analyze(
    ...     rng.poisson(2 + 2 * spots), method="wiener", pixel_size=0.0623, columns="all",
    ...     null_frames=19,
    ... )
    >>> [row["verdict"] for row in result.rows()]
    ['supported', 'supported']
    """
    given: dict[str, Any] = dict(locals())
    data = given.pop("image")
    given["weights"] = None if weights is None else str(weights)
    own = {name: given.pop(name) for name in _OWN}
    pixels = tuple((int(x), int(y)) for x, y in given.pop("gradient"))
    own |= {"gradient": pixels, "truth": None if truth is None else str(truth)}
    given.pop("truth")
    options = AnalyzeOptions(denoise=DenoiseOptions(**given), **own)
    with collected() as messages:
        if isinstance(data, str | Path):
            found, *others = inputs_of_files([data], options.denoise)
            if others:
                raise input_error(data, "holds several fields: give one image")
        else:
            found = input_of_array(data, options.denoise)
        return analyze_frame(found, options, messages)
