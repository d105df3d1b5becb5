"""The MTF of a detector from micrographs, with errors."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from difftem.micrograph.figure import draw_picking
from difftem.micrograph.stack_use import FrameUse
from difftem.simulation.messages import collected
from difftem.tasks.mtf_fit.report import curve_table, make_report, markdown, parameter_table
from difftem.tasks.report import Table
from difftem.workflows.estimate_mtf.from_edge import draw_edge, edge_notes, estimate_edge
from difftem.workflows.estimate_mtf.from_noise import fit_noise, read_crops
from difftem.workflows.estimate_mtf.memory import check_estimate_memory
from difftem.workflows.estimate_mtf.options import EstimateOptions
from difftem.workflows.estimate_mtf.output import check_output, write_files

logger = logging.getLogger(__name__)

_SHOWN = (0.1, 0.2, 0.3, 0.4, 0.5)  # cycles/pixel
_KINDS = {
    "MTF": "MTF: modulation transfer function of the signal, from a knife edge; the aperture of "
    "the pixel is part of it",
    "NTF": "NTF: noise transfer function, square root of the noise power spectrum over its value "
    "at zero; it is the MTF of the signal only where every electron leaves the same spot",
}


@dataclass(frozen=True, eq=False)
class MTFEstimate:
    """A transfer function with its errors.

    Attributes
    ----------
    kind : str
        ``MTF`` of a knife edge, which shows the signal; ``NTF`` of noise: the noise transfer
        function, which is the MTF where every electron leaves the same spot.
    frequency : Tensor
        Cycles/pixel, from 0 to 0.5, shape ``(101,)``.
    curve, standard_error : Tensor
        The function and its standard error at these frequencies.
    family : str or None
        Family of curves that was fitted to noise; None of a knife edge.
    table : Table
        Curve, errors and, from noise, 95 % band.
    summary : str
        A few lines of the result in Markdown.
    report : str
        All of it in Markdown.
    warnings, notes : list of str
        Reasons not to trust the curve; what is known about the data.
    figures : dict of str to Figure
        ``png``: the curve; ``crops``: where crops of noise are from.
    messages : list of str
        All that was said, first what was read of the files and what of them is not used.
    """

    kind: Literal["MTF", "NTF"]
    frequency: Tensor
    curve: Tensor
    standard_error: Tensor
    family: str | None
    table: Table
    summary: str
    report: str
    warnings: list[str]
    notes: list[str]
    figures: dict[str, Any]
    messages: list[str] = field(default_factory=list)

    def show(self) -> None:
        """Show the curve in a window or a notebook."""
        from difftem.simulation.preview import show_figure

        show_figure(self.figures["png"])

    def save(self, path: str | Path, overwrite: bool = False) -> list[Path]:
        """Write a RELION MTF STAR file and beside it table, report and pictures, all or nothing.

        Parameters
        ----------
        path : str or Path
            STAR file, or a folder that exists for a ``mtf.star``.
        overwrite : bool
            Replace files that exist.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        InputError
            If a file exists and `overwrite` is false, or the folder does not exist.
        """
        star = Path(path) / "mtf.star" if Path(path).is_dir() else Path(path)
        check_output(star, overwrite)
        return write_files(
            star,
            self.frequency,
            self.curve,
            self.table,
            self.report,
            self.figures,
            comments=[_KINDS[self.kind]],
            overwrite=overwrite,
        )


def estimate_mtf(
    micrographs: str | Path | Sequence[str | Path],
    *,
    gain: float | None = None,
    dose: float | None = None,
    dqe0: float | None = None,
    read_noise: float | None = 0.0,
    family: str = "auto",
    boxes: str | Path | None = None,
    size: int = 256,
    crops: int = 50,
    min_frequency: float | None = None,
    max_frequency: float = 0.5,
    window: str = "tukey",
    frames: FrameUse = "auto",
    fields: Literal["auto", "same", "separate"] = "auto",
    single: bool = False,
    pixel_size: float | None = None,
    edge: bool = False,
    edge_box: Sequence[int] | None = None,
    memory_limit_gb: float | None = None,
) -> MTFEstimate:
    """Estimate the MTF of a detector, as the command ``difftem estimate-mtf`` does.

    Counted electrons are white noise; what colours it is the detector. Where the data show
    structure of a specimen, low frequencies are left out, the diffraction ring of ice too, and
    more noise than counting makes is refused; it is all said in the notes.

    Parameters
    ----------
    micrographs : str or Path, or sequence of them
        MRC or TIFF files: images, stacks, movies of background, or of a knife edge.
    gain : float, optional
        Grey values per electron that is counted; it fixes the level of the noise. Default: the
        level is fitted, with errors several times larger.
    dose : float, optional
        Instead of the gain: electrons that reach a pixel in one image (frame). How many of them
        are counted is told by `dqe0`; without it the level is fitted, and tells DQE(0).
    dqe0 : float, optional
        DQE(0), the part of the dose that is counted, in (0, 1]; 1 where each electron is. The
        noise power at zero is gain x mean / DQE(0) with the gain of the dose.
    read_noise : float or None
        Standard deviation of the read-out in one image (frame), grey values; None fits it.
    family : str
        Family of curves, such as ``rullgard`` or ``log_spline_9``; ``auto`` chooses by AIC.
    boxes : str or Path, optional
        Crops to use: EMAN .box, RELION .star, or .csv with x, y. Default: background is found.
    size, crops : int
        Side of a crop in pixels, and how many to pick at most.
    min_frequency : float, optional
        Fit from here, cycles/pixel. Default: 0, or 0.1 where a specimen's structure is seen below.
    max_frequency : float
        Fit to here, cycles/pixel.
    window : str
        Taper of the crops: ``tukey``, ``hann`` or ``none``.
    frames : {"auto", "flat", "exposures", "even_odd", "sum"}
        What the images of a stack are: flat fields (vacuum: nothing to align by), exposures of
        one field, or frames of a movie to be added up to halves or to one image. ``auto`` looks:
        images that show nothing to align by are flat fields, others exposures up to four and
        else a movie.
    fields : {"auto", "same", "separate"}
        Whether the files show the same field; ``auto`` finds out if they correlate.
    single : bool
        Use single exposures, not their differences.
    pixel_size : float, optional
        Å. Default: that of the header.
    edge : bool
        The images show a straight, slanted knife edge.
    edge_box : sequence of int, optional
        x, y, width, height in pixels of the part that holds the edge and nothing else.
    memory_limit_gb : float, optional
        Memory in GB that the run may take. Default: what the machine has free.

    Returns
    -------
    MTFEstimate
        ``.show()`` draws it, ``.save("mtf.star")`` writes it.

    Raises
    ------
    ValueError
        For bad input, in one line.

    Examples
    --------
    >>> import difftem, numpy, tempfile
    >>> from difftem.io.mrc import write_mrc
    >>> counts = numpy.random.default_rng(0).poisson(10, (512, 512)).astype("float32")
    >>> path = f"{tempfile.mkdtemp()}/vacuum.mrc"
    >>> write_mrc(path, counts, 1.0)
    >>> estimate = difftem.estimate_mtf(path, size=128, family="lorentzian")
    >>> estimate.warnings[0].startswith("the noise spectrum is flat")
    True
    """
    given = dict(locals())
    names = [micrographs] if isinstance(micrographs, str | Path) else micrographs
    given["micrographs"] = [str(name) for name in names]
    given["boxes"] = None if boxes is None else str(boxes)
    given["edge_box"] = None if edge_box is None else list(edge_box)
    options = EstimateOptions(**given)
    with collected() as messages:
        check_estimate_memory(options)
        estimate = _from_edge(options) if edge else _from_noise(options)
        read = "\n".join(f"- {line}" for line in messages)
        for line in estimate.notes:
            logger.info("note: %s", line)
        for line in estimate.warnings:
            logger.warning(line)
    report = f"{estimate.report}\n## What was read\n\n{read}\n"
    return replace(estimate, report=report, messages=messages)


def _from_noise(options: EstimateOptions) -> MTFEstimate:
    """Estimate from background."""
    data = read_crops(options)
    crops, facts = data.crops, data.facts
    kind = "aligned exposures" if facts.aligned else "flat fields"
    what = f"differences of {kind}" if facts.differences else "single exposures"
    height, width = crops.images.shape[-2:]
    logger.info("%d crops of %d x %d pixels, %s", len(crops.images), width, height, what)
    results, decided = fit_noise(data, options)
    result, notes = results[0], [*decided, *facts.notes]
    report = make_report(results, None, notes, f"NTF of {_names(options)}, from noise")
    test = result.whiteness
    summary = [
        f"family {result.family}" + (", by AIC" if len(results) > 1 else ""),
        markdown(curve_table(result)),
        "",
        markdown(parameter_table(result, knots=False)),
        "",
        f"chi-square {test.total:.1f} for {test.degrees} degrees, p = {test.p_value:.2g}",
    ]
    return MTFEstimate(
        "NTF",
        result.frequency,
        result.curve,
        result.standard_error,
        result.family,
        report.tables["mtf_curve"],
        "\n".join(summary),
        report.text,
        list(result.warnings),
        notes,
        {"png": report.figures["mtf"], "crops": draw_picking(data.pictures)},
    )


def _from_edge(options: EstimateOptions) -> MTFEstimate:
    """Estimate from a knife edge."""
    found = estimate_edge(options)
    rows = [
        [f"{f:g}", f"{float(found.curve[i]):.4f}", f"{float(found.standard_error[i]):.4f}"]
        for f in _SHOWN
        for i in [round(f / 0.5 * (len(found.curve) - 1))]
    ]
    shown = markdown(Table(["frequency (cycles/pixel)", "MTF", "standard error"], rows))
    notes = edge_notes(found)
    text = f"# MTF of {_names(options)} from a knife edge\n\n{shown}\n\n"
    return MTFEstimate(
        "MTF",
        found.frequency,
        found.curve,
        found.standard_error,
        None,
        found.table(),
        shown,
        text + "\n".join(f"- {line}" for line in notes) + "\n",
        [],
        notes,
        {"png": draw_edge(found)},
    )


def _names(options: EstimateOptions) -> str:
    """First file, and how many more."""
    more = len(options.micrographs) - 1
    return Path(options.micrographs[0]).name + (f" and {more} more" if more else "")
