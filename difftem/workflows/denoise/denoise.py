"""`difftem.denoise`: what an image shows, without its noise."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from numpy.typing import ArrayLike
from torch import Tensor

from difftem.simulation.messages import collected
from difftem.workflows.denoise.exposures import DenoiseInput, input_of_array, inputs_of_files
from difftem.workflows.denoise.images import denoise_input
from difftem.workflows.denoise.options import DenoiseFrames, DenoiseOptions
from difftem.workflows.denoise.result import DenoiseResult


def denoise(
    exposures: str | Path | Sequence[str | Path] | ArrayLike | Tensor,
    *,
    method: str = "auto",
    frames: DenoiseFrames = "auto",
    fields: Literal["auto", "same", "separate"] = "auto",
    detector: str | None = None,
    mtf: str | Path | None = None,
    gain: float | None = None,
    dose: float | None = None,
    pixel_size: float | None = None,
    weights: str | Path | None = None,
    adapt: float | None = None,
    minutes: float | None = None,
    balance: bool = True,
    rotations: bool = False,
    std: bool | None = None,
    mark: bool = False,
    force: bool = False,
    seed: int = 0,
    accelerator: Literal["cpu", "cuda"] = "cpu",
    memory_limit_gb: float | None = None,
) -> DenoiseResult:
    """Denoise an image of some exposures, or a stack of images, as ``difftem denoise`` does.

    Parameters
    ----------
    exposures : str, Path, sequence of them, array_like or Tensor
        MRC or TIFF files of one field; or grey values, one image ``(y, x)`` or exposures of one
        field ``(n, y, x)``.
    method : str
        One of `difftem.workflows.denoise.methods.METHODS`; ``auto`` takes what was measured to be
        best.
    frames : {"auto", "exposures", "even_odd", "sum", "separate"}
        What the images of a stack are: exposures of one field; frames of a movie, in two halves
        or added up; or images that stand alone, such as a tilt series. ``auto`` finds out.
    fields : {"auto", "same", "separate"}
        Whether the files show the same field; ``auto`` finds out if they correlate.
    detector : str, optional
        Preset of the camera, such as ``k3_300kv``, whose noise is taken.
    mtf : str or Path, optional
        RELION STAR file of the noise's curve. Default: what the image has.
    gain : float, optional
        Grey values per counted electron.
    dose : float, optional
        Instead of the gain: counted electrons per pixel in one image (frame).
    pixel_size : float, optional
        Å. Default: that of the header.
    weights : str or Path, optional
        Of method sbd: a name of weights that come with the package, or a file
        ``NAME.safetensors``; default ``cryo``, and ``atoms`` for pixels below 0.2 Å. Of
        noise2noise: such a file. Of topaz: a model of its own; default ``unet``. Of
        topaz_trained: a file that Topaz has saved.
    adapt : float, optional
        Of method sbd: minutes of fine-tuning on the images themselves.
    minutes : float, optional
        Of training of methods split and n2n. Default: 3.
    balance : bool
        Keep of what a network adds to Wiener's filter, frequency by frequency, so much as
        electrons that it has not seen confirm.
    rotations : bool
        Average a network over 8 orientations: a little better, 8 times as long.
    std : bool, optional
        Estimate the standard deviation of the result, for which the method runs once more.
        Default: of an image, not of a stack.
    mark : bool
        Find what of the result exceeds what the method makes of blank images.
    force : bool
        Go on with images whose noise cannot be modelled: of 8 bits, or clipped.
    seed : int
        Of methods that draw.
    accelerator : {"cpu", "cuda"}
        What computes.
    memory_limit_gb : float, optional
        Memory in GB that the run may take. Default: what the machine has free.

    Returns
    -------
    DenoiseResult
        ``.show()`` draws it, ``.save("denoised.mrc")`` writes it.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem, numpy
    >>> rng = numpy.random.default_rng(0)
    >>> bump = numpy.exp(-(((numpy.mgrid[:64, :64] - 32) / 8) ** 2).sum(0))
    >>> result = difftem.denoise(rng.poisson(20 + 10 * bump), method="wiener")
    >>> result.mean.shape
    torch.Size([64, 64])
    """
    given = dict(locals())
    data = given.pop("exposures")
    for each in ("mtf", "weights"):
        given[each] = None if given[each] is None else str(given[each])
    options = DenoiseOptions(**given)
    paths = _paths(data)
    if paths is None:
        with collected() as messages:
            return denoise_input(input_of_array(data, options), options, messages)
    results = list(_each(paths, options, single=True))
    return results[0]


def denoise_files(
    paths: Sequence[str | Path], options: DenoiseOptions, *, single: bool
) -> Iterator[DenoiseResult]:
    """Denoise files one field after another.

    Parameters
    ----------
    paths : sequence of str or Path
        MRC or TIFF files.
    options : DenoiseOptions
        What was asked for.
    single : bool
        There is room for one result only: files that show several fields are refused.

    Yields
    ------
    DenoiseResult
        In the order of the files.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    yield from _each(paths, options, single)


def _paths(data: Any) -> list[str | Path] | None:
    """Files, or None of what is an array."""
    if isinstance(data, str | Path):
        return [data]
    if isinstance(data, list | tuple) and data and all(isinstance(d, str | Path) for d in data):
        return list(data)
    return None


def _each(
    paths: Sequence[str | Path], options: DenoiseOptions, single: bool
) -> Iterator[DenoiseResult]:
    with collected() as messages:
        inputs = inputs_of_files(paths, options)
        first = next(inputs)
        if single and len(paths) > 1 and (second := next(inputs, None)) is not None:
            raise ValueError(
                f"{first.name} and {second.name} show different fields (--fields same says "
                "otherwise): give a folder as --output, or denoise them one by one; see "
                "difftem docs frames"
            )
        found: DenoiseInput | None = first
        while found is not None:
            others = {Path(path).name for path in paths} - {path.name for path in found.files}
            yield denoise_input(found, options, messages, others)
            found = next(inputs, None)
