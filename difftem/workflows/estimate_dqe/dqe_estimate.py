"""The DQE of a detector from a knife edge and flat fields, with errors."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from difftem.data.crops import check_positive
from difftem.tasks.mtf_fit import MTFFitResult
from difftem.tasks.mtf_fit.report import markdown
from difftem.tasks.report import Table
from difftem.workflows.estimate_dqe.figure import draw_dqe
from difftem.workflows.estimate_dqe.measured import MeasuredDQE, measured_dqe
from difftem.workflows.estimate_dqe.output import check_output, write_files
from difftem.workflows.estimate_mtf.from_edge import EdgeEstimate, edge_notes, estimate_edge
from difftem.workflows.estimate_mtf.from_noise import fit_noise, read_crops
from difftem.workflows.estimate_mtf.memory import check_estimate_memory
from difftem.workflows.estimate_mtf.options import EstimateOptions

logger = logging.getLogger(__name__)

_SHOWN = (0.1, 0.2, 0.3, 0.4, 0.49)  # cycles/pixel
_MISFIT = "the fit is not white"
_OF_DATA = ("power at", _MISFIT)  # the rest is about a fitted MTF


@dataclass(frozen=True, eq=False)
class DQEEstimate:
    """DQE, noise power and MTF of a detector with their errors, and what they are worth.

    Attributes
    ----------
    curves : MeasuredDQE
        MTF, NPS, NNPS, NTF and DQE(ω) in bins.
    mtf_frequency, mtf : Tensor
        MTF from 0 to 0.5 cycles/pixel, shape ``(101,)``.
    is_relative : bool
        No dose was given: the DQE is that over DQE(0).
    table : Table
        All curves.
    summary, report : str
        A few lines, and all of it, in Markdown.
    warnings, notes : list of str
        Reasons not to trust the curves; what is known about the data.
    figure : Figure
        MTF and NTF, noise power, DQE.
    """

    curves: MeasuredDQE
    mtf_frequency: Tensor
    mtf: Tensor
    is_relative: bool
    table: Table
    summary: str
    report: str
    warnings: list[str]
    notes: list[str]
    figure: Any

    @property
    def dqe0(self) -> float | None:
        """DQE(0), where the dose is known."""
        return None if self.is_relative else self.curves.dqe0

    def show(self) -> None:
        """Show the curves in a window or a notebook."""
        from difftem.simulation.preview import show_figure

        show_figure(self.figure)

    def save(self, path: str | Path, overwrite: bool = False) -> list[Path]:
        """Write a STAR file, and beside it table, report and figure, all or nothing.

        The STAR file holds the MTF as RELION reads it, and a second block with the DQE.

        Parameters
        ----------
        path : str or Path
            STAR file, or a folder that exists for a ``dqe.star``.
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
        star = Path(path) / "dqe.star" if Path(path).is_dir() else Path(path)
        check_output(star, overwrite)
        curve = self.mtf_frequency, self.mtf
        return write_files(star, curve, self.table, self.report, self.figure, overwrite=overwrite)


def estimate_dqe(
    edges: str | Path | Sequence[str | Path],
    flat_fields: str | Path | Sequence[str | Path],
    *,
    dose: float | None = None,
    dose_e_per_a2: float | None = None,
    pixel_size: float | None = None,
    read_noise: float | None = 0.0,
    family: str = "rullgard",
    size: int = 256,
    crops: int = 50,
    edge_box: Sequence[int] | None = None,
    memory_limit_gb: float | None = None,
) -> DQEEstimate:
    r"""Estimate the DQE of a detector, as the command ``difftem estimate-dqe`` does.

    The MTF is that of a slanted knife edge, the noise power spectrum (NPS) that of flat fields,
    of whose stacks differences are taken so that what a gain reference leaves cancels;

    .. math:: \mathrm{NNPS}(\omega) = \frac{\mathrm{NPS}(\omega)}{m^2}, \qquad
              \mathrm{DQE}(\omega) = \frac{\mathrm{MTF}(\omega)^2}{\bar N\,\mathrm{NNPS}(\omega)}

    with the mean grey value m, from which any offset of the camera must be off, and the dose
    :math:`\bar N` that reaches a pixel.

    Parameters
    ----------
    edges : str or Path, or sequence of them
        MRC or TIFF files: images of a straight edge, 1 to 20 degrees off the pixels' axes.
    flat_fields : str or Path, or sequence of them
        Evenly illuminated images of the same camera, stacks or files.
    dose : float, optional
        Electrons that reach a pixel in one image of the flat fields.
    dose_e_per_a2 : float, optional
        Instead: e/Å², with the pixel size of the header or `pixel_size`. Without either the
        curve is DQE(ω)/DQE(0).
    pixel_size : float, optional
        Å at the specimen, for `dose_e_per_a2`.
    read_noise : float or None
        Standard deviation of the read-out in one image, grey values, whose power is not counted;
        None fits it.
    family : str
        Family of curves that continues the noise to zero, ``auto`` or as of
        `difftem.estimate_mtf`.
    size, crops : int
        Side of a crop of the flat fields in pixels, and how many to take at most.
    edge_box : sequence of int, optional
        x, y, width, height in pixels of the part that holds the edge and nothing else.
    memory_limit_gb : float, optional
        Memory in GB that the run may take. Default: what the machine has free.

    Returns
    -------
    DQEEstimate
        ``.show()`` draws it, ``.save("dqe.star")`` writes it.

    Raises
    ------
    ValueError
        For bad input, in one line.

    References
    ----------
    IEC 62220-1 (2003); McMullan, Chen, Henderson & Faruqi, Ultramicroscopy 109 (2009) 1126.

    Examples
    --------
    >>> import difftem, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> for what in ("edge", "vacuum"):
    ...     made = difftem.simulate(what, size=(128, 128), exposures=4, preset="k2_300kv")
    ...     saved = made.save(f"{folder}/{what}")
    >>> edge, flat = (f"{folder}/{what}/micrograph.mrc" for what in ("edge", "vacuum"))
    >>> found = difftem.estimate_dqe(edge, flat, dose=30.0, size=64, family="even_spline_5")
    >>> 0.6 < found.dqe0 < 1.0  # 0.8 of the electrons were counted
    True
    """
    if dose is not None and dose_e_per_a2 is not None:
        raise ValueError("give dose or dose_e_per_a2, not both")
    check_positive(dose=dose, dose_e_per_a2=dose_e_per_a2, pixel_size=pixel_size)
    box = None if edge_box is None else list(edge_box)
    limit = memory_limit_gb
    of_edge = EstimateOptions(_names(edges), edge=True, edge_box=box, memory_limit_gb=limit)
    options = EstimateOptions(
        _names(flat_fields),
        dose=dose,
        read_noise=read_noise,
        family=family,
        size=size,
        crops=crops,
        pixel_size=pixel_size,
        min_frequency=0.0,
        frames="flat",  # that is what they are called
        memory_limit_gb=limit,
    )
    check_estimate_memory(of_edge, options)
    edge, data = estimate_edge(of_edge), read_crops(options)
    if dose_e_per_a2 is not None:
        if data.facts.pixel_size is None:
            raise ValueError(
                "dose_e_per_a2 needs pixel_size: the header has none; see difftem docs dose"
            )
        options = replace(options, dose=dose_e_per_a2 * data.facts.pixel_size**2)
        data = read_crops(options)
    results, _ = fit_noise(data, options)  # its decisions are those of low frequencies and levels
    noise, facts = results[0], data.facts
    mean = float(data.crops.means.mean())
    fluence = None if facts.incident_gain is None else mean / facts.incident_gain
    curves = measured_dqe(noise, (edge.frequency, edge.curve, edge.standard_error), mean, fluence)
    notes = [*facts.notes, *edge_notes(edge)]
    return _estimate(curves, edge, noise, fluence, mean, notes)


def _estimate(
    curves: MeasuredDQE,
    edge: EdgeEstimate,
    noise: MTFFitResult,
    fluence: float | None,
    mean: float,
    notes: list[str],
) -> DQEEstimate:
    """Put curves into words and pictures, and log what they are worth."""
    kind = "DQE/DQE(0)" if fluence is None else "DQE"
    lower, upper = curves.band()
    columns = {
        "frequency": curves.frequency,
        "mtf": curves.mtf,
        "mtf_error": curves.mtf_error,
        "nps": curves.nps,
        "nps_error": curves.nps_error,
        "nnps": curves.nnps,
        "ntf": curves.ntf,
        "dqe" if fluence is not None else "dqe_relative": curves.dqe,
        "lower_95": lower,
        "upper_95": upper,
    }
    table = Table(list(columns), torch.stack(list(columns.values()), 1).tolist())
    rows = []
    for wanted in _SHOWN:
        i = int((curves.frequency - wanted).abs().argmin())
        values = (curves.mtf, curves.ntf, curves.nnps, curves.dqe, curves.dqe_error)
        rows.append([f"{float(v[i]):.4g}" for v in (curves.frequency, *values)])
    head = ["frequency (cycles/pixel)", "MTF", "NTF", "NNPS (pixels)", kind, "standard error"]
    level = f"mean {mean:.5g} grey values, noise power {noise.s0:.5g} grey values² at zero"
    if fluence is None:
        first = f"DQE relative to DQE(0), since no dose was given; {level}"
    else:
        first = (
            f"DQE(0) = {curves.dqe0:.3f} ± {curves.dqe0_error:.3f}, {fluence:.4g} electrons per "
            f"pixel, {level}"
        )
    summary = f"{first}\n\n{markdown(Table(head, rows))}"
    warnings = [line for line in noise.warnings if line.startswith(_OF_DATA)]
    if any(line.startswith(_MISFIT) for line in warnings):
        warnings.append(
            "the NTF and the scale of DQE/DQE(0) depend on that fit"
            if fluence is None
            else "DQE(0) and the NTF depend on that fit; the DQE beyond is that of the power itself"
        )
    if float(lower[1:].max()) > 1 and fluence is not None:
        warnings.append("the DQE exceeds 1: is the dose too low, or an offset in the images?")
    if edge.strips <= 2:
        warnings.append("the edge is too short for errors of the MTF: bands are not known")
    parts = ["# DQE from a knife edge and flat fields", summary]
    for title, lines in (("Warnings", warnings), ("Data", notes)):
        if lines:
            parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    for line in notes:
        logger.info("note: %s", line)
    for line in warnings:
        logger.warning(line)
    return DQEEstimate(
        curves,
        edge.frequency,
        edge.curve,
        fluence is None,
        table,
        summary,
        "\n\n".join(parts) + "\n",
        warnings,
        notes,
        draw_dqe(curves, noise, kind),
    )


def _names(paths: str | Path | Sequence[str | Path]) -> list[str]:
    """List of names."""
    return [str(each) for each in ([paths] if isinstance(paths, str | Path) else paths)]
