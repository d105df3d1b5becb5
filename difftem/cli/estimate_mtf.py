"""`difftem estimate-mtf`: the MTF of a detector from micrographs, with errors, without a config."""

import os
import sys
from pathlib import Path

from tqdm import tqdm

from difftem.cli.estimate_mtf_options import read_options
from difftem.io.errors import input_error
from difftem.micrograph.figure import draw_picking
from difftem.tasks.mtf_fit.report import curve_table, make_report, markdown, parameter_table
from difftem.tasks.report import Table
from difftem.workflows.estimate_mtf.from_edge import draw_edge, estimate_edge
from difftem.workflows.estimate_mtf.from_noise import fit_noise, read_crops
from difftem.workflows.estimate_mtf.options import Options
from difftem.workflows.estimate_mtf.output import output_files, write_files

_SHOWN = (0.1, 0.2, 0.3, 0.4, 0.5)  # cycles/pixel


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem estimate-mtf``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    options = read_options(arguments)
    _check_output(options)
    written = _edge(options) if options.edge else _noise(options)
    print(f"wrote {', '.join(str(path) for path in written)}")


def _check_output(options: Options) -> None:
    """Refuse before the work what would be refused after it."""
    folder = options.output.parent
    if not folder.is_dir():
        raise input_error(options.output, f"there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise input_error(options.output, f"the folder {folder} cannot be written")
    for path in output_files(options.output).values():
        if path.exists() and not options.overwrite:
            raise input_error(path, "exists already, pass --overwrite to replace it")


def _noise(options: Options) -> list[Path]:
    """Estimate from background."""
    data = read_crops(options)
    crops, facts = data.crops, data.facts
    what = "differences of aligned exposures" if facts.differences else "single exposures"
    height, width = crops.images.shape[-2:]
    _say(f"{len(crops.images)} crops of {width} x {height} pixels, {what}")
    results, decided = fit_noise(data, options)
    result = results[0]
    report = make_report(results, None, [*decided, *facts.notes], f"MTF of {_names(options)}")
    print(f"family {result.family}" + (", by AIC" if len(results) > 1 else ""))
    print(markdown(curve_table(result)))
    print()
    print(markdown(parameter_table(result, knots=False)))
    test = result.whiteness
    print(f"\nchi-square {test.total:.1f} for {test.degrees} degrees, p = {test.p_value:.2g}")
    for line in (*decided, *facts.notes):
        _say(f"note: {line}")
    for line in result.warnings:
        _say(f"warning: {line}")
    figures = {"png": report.figures["mtf"], "crops": draw_picking(data.pictures)}
    table = report.tables["mtf_curve"]
    return write_files(
        options.output,
        result.frequency,
        result.curve,
        table,
        report.text,
        figures,
        overwrite=options.overwrite,
    )


def _edge(options: Options) -> list[Path]:
    """Estimate from a knife edge."""
    estimate = estimate_edge(options)
    rows = [
        [f"{f:g}", f"{float(estimate.curve[i]):.4f}", f"{float(estimate.standard_error[i]):.4f}"]
        for f in _SHOWN
        for i in [round(f / 0.5 * (len(estimate.curve) - 1))]
    ]
    shown = Table(["frequency (cycles/pixel)", "MTF", "standard error"], rows)
    angles = ", ".join(f"{edge.angle_deg:.2f}°" for edge in estimate.facts.edges)
    lines = [
        f"{len(estimate.facts.edges)} images, normals of the edges at {angles} from +x",
        f"errors from {estimate.strips} strips along the edges"
        if estimate.strips > 2
        else "no errors: the edge is too short to be cut into strips",
        "the curve includes the aperture of the pixel, as published curves do; noise that is "
        "simulated with it is blurred by the aperture, too",
        *estimate.facts.notes,
    ]
    print(markdown(shown))
    for line in lines:
        _say(f"note: {line}")
    text = f"# MTF of {_names(options)} from a knife edge\n\n{markdown(shown)}\n\n"
    return write_files(
        options.output,
        estimate.frequency,
        estimate.curve,
        estimate.table(),
        text + "\n".join(f"- {line}" for line in lines) + "\n",
        {"png": draw_edge(estimate)},
        overwrite=options.overwrite,
    )


def _names(options: Options) -> str:
    """First file, and how many more."""
    more = len(options.micrographs) - 1
    return Path(options.micrographs[0]).name + (f" and {more} more" if more else "")


def _say(line: str) -> None:
    """Print to standard error without tearing a progress bar."""
    tqdm.write(line, file=sys.stderr)
