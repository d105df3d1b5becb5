"""`difftem.compare`: images or volumes against each other, and against a truth."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from difftem.io.volume import FileAxes
from difftem.simulation.memory import check_memory
from difftem.simulation.messages import collected
from difftem.workflows.compare.agreement import agreement
from difftem.workflows.compare.figure import shown_of
from difftem.workflows.compare.load import (
    Compared,
    Kind,
    check_fits,
    decided_kind,
    distinct_names,
    in_words,
    load,
)
from difftem.workflows.compare.options import CompareKind, CompareOptions, GreyFit
from difftem.workflows.compare.report import Mode
from difftem.workflows.compare.result import Comparison
from difftem.workflows.compare.scores import Scores, against_other, against_truth, crossings
from difftem.workflows.compare.windows import make_wedge, make_window

# Interpreter and libraries; a voxel of two volumes with their spectra, fits and masks; a pixel of
# two stacks, and of the image that is worked on.
BASE_BYTES, VOXEL_BYTES, PIXEL_BYTES, IMAGE_BYTES = 550e6, 80, 12, 200


def compare(
    *files: str | Path,
    truth: str | Path | None = None,
    kind: CompareKind = "auto",
    tilts: str | Path | Sequence[float] | None = None,
    mask: str | Path = "hann",
    mask_diameter: float | None = None,
    fit: GreyFit = "affine",
    pixel_size: float | None = None,
    axes: FileAxes = "auto",
    truth_axes: FileAxes = "auto",
    memory_limit_gb: float | None = None,
) -> Comparison:
    """Compare images or volumes with a truth or with each other, as ``difftem compare`` does.

    With a truth every file is compared with it. Without one, two files are taken for halves of the
    data, and of more files each is compared with the first. Nothing is aligned or resampled.

    Parameters
    ----------
    *files : str or Path
        Images or stacks (MRC, TIFF, zarr), or volumes (MRC), of one shape and pixel size.
    truth : str or Path, optional
        Of the same kind.
    kind : {"auto", "image", "stack", "volume"}
        What the files hold: by the header's space group and the name's ending, or as told. Images
        are compared by Fourier rings, volumes by Fourier shells; of a stack the spectra of all
        images are added up.
    tilts : str, Path or sequence of float, optional
        Tilts in degrees about y that a volume was reconstructed from: a file (.tlt, .rawtlt, .mdoc)
        or angles, of which the lowest and the highest count. Shells are then worked out within
        the frequencies between them as well, without the missing wedge.
    mask : {"hann", "sphere", "none"} or path
        What is looked at. ``hann``: everything, fading to the edges for Fourier transforms;
        ``sphere``: a ball or disc with a cosine edge; or a file with weights of 0 to 1. The latter
        two also limit the errors, and the background is what is outside.
    mask_diameter : float, optional
        Of ``sphere`` in Å (pixels where no pixel size is known). Default: 0.8 of the shortest side.
    fit : {"affine", "none"}
        Fit scale and offset of the grey values of each file to the truth by least squares, for
        NMSE, PSNR and SSIM; or take them as they are.
    pixel_size : float, optional
        Å, of all files. Default: that of the headers, which must agree.
    axes, truth_axes : {"auto", "imod", "zyx"}
        Order of the axes in volumes, of the files and of the truth; ``auto`` knows what ``difftem
        reconstruct`` has written, and obeys MAPC, MAPR, MAPS of the header.
    memory_limit_gb : float, optional
        Memory in GB that the run may take. Default: what the machine has free.

    Returns
    -------
    Comparison
        ``.scores``, ``.curves``; ``.show()`` draws them, ``.save("report.html")`` writes a report.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem, numpy
    >>> from difftem.io.mrc import write_mrc
    >>> noise = numpy.random.default_rng(0).normal(size=(3, 64, 64))
    >>> write_mrc("truth.mrc", noise[0], 2.0)
    >>> write_mrc("recorded.mrc", 100 + noise[0] + noise[1], 2.0)
    >>> found = difftem.compare("recorded.mrc", truth="truth.mrc")
    >>> round(found.scores["recorded.mrc"]["correlation"], 1)  # the root of 1 / 2
    0.7
    """
    given = tuple(tilts) if isinstance(tilts, Sequence) and not isinstance(tilts, str) else tilts
    options = CompareOptions(
        tuple(map(str, files)),
        None if truth is None else str(truth),
        kind,
        str(given) if isinstance(given, Path) else given,
        str(mask),
        mask_diameter,
        fit,
        pixel_size,
        axes,
        truth_axes,
        memory_limit_gb,
    )
    with collected() as messages:
        found = _compared(options)
    return replace(found, messages=messages)


def _compared(options: CompareOptions) -> Comparison:
    """Read one file after the other, and keep what is shown of it."""
    paths = [*([] if options.truth is None else [options.truth]), *options.files]
    kind = decided_kind(paths, options.kind)
    if options.tilts is not None and kind == "images":
        raise ValueError("tilts are of volumes, but the files hold images (--kind volume)")
    mode: Mode = "reference" if len(paths) > 2 else "halves"
    mode = mode if options.truth is None else "truth"
    names = distinct_names(paths)
    axes = options.axes if options.truth is None else options.truth_axes
    against = _sized(load(paths[0], names[0], kind, options.kind, axes), options)
    _check_memory(against, kind, options)
    scores: dict[str, Scores] = {}
    curves, panels = [], [shown_of(against, against, kind, is_truth=True)]
    with tqdm(paths[1:], unit="file", disable=not sys.stderr.isatty()) as bar:
        for path, name in zip(bar, names[1:], strict=True):
            one = _sized(load(path, name, kind, options.kind, options.axes), options)
            check_fits(against, one, kind)
            if not scores:
                against = replace(against, pixel_size=against.pixel_size or one.pixel_size)
                window = make_window(against, kind, options)
                wedge, seen = make_wedge(against, options)
            own = [agreement(one, against, kind, window.weight)]
            if wedge is not None:
                own.append(agreement(one, against, kind, window.weight, wedge))
            found = {k: v for curve in reversed(own) for k, v in crossings(curve, kind).items()}
            if mode == "truth":
                found |= against_truth(one.data, against.data, kind, window, options.fit)
            else:
                found |= against_other(one.data, against.data, window, mode == "halves")
            scores[name] = found
            curves += own
            panels.append(shown_of(one, against, kind, mode == "truth"))
            del one
    size = against.pixel_size
    facts = [
        in_words(against.data, kind) + (f" of {size:.4g} Å" if size else ", pixel size unknown"),
        f"Mask in real space: {window.what}.",
    ]
    if kind == "volume":
        count = (
            f"frequencies count that tilts of {seen} have seen"
            if seen
            else "all frequencies count; --tilts leaves out what was not seen"
        )
        facts.append(f"Missing wedge: {count}.")
    if mode == "truth":
        fit = "fitted to the truth by scale and offset, with least squares, for NMSE, PSNR and SSIM"
        facts.append(f"Grey values: {fit if options.fit == 'affine' else 'as they are'}.")
    facts.append("Nothing was aligned or resampled.")
    return Comparison(kind, mode, names[0], size, scores, curves, panels, facts, messages=[])


def _sized(one: Compared, options: CompareOptions) -> Compared:
    """File with the pixel size that the user has told."""
    return replace(one, pixel_size=options.pixel_size or one.pixel_size)


def _check_memory(like: Compared, kind: Kind, options: CompareOptions) -> None:
    """Refuse what cannot fit, once one file is known."""
    each = VOXEL_BYTES if kind == "volume" else PIXEL_BYTES
    image = 0 if kind == "volume" else IMAGE_BYTES * like.data[0].numel()
    check_memory(
        BASE_BYTES + each * like.data.numel() + image,
        limit_gb=options.memory_limit_gb,
        advice="smaller or binned files would do",
    )
