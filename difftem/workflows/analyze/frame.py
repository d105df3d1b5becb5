"""The analysis of one frame: columns, likelihoods, gradients, pictures."""

import logging
import sys
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.analysis.atomic_columns import (
    FoundColumns,
    at_surface,
    border_distance,
    find_columns,
)
from difftem.analysis.column_evidence import ColumnEvidence, column_evidence
from difftem.analysis.disc_surface import DiscSurface
from difftem.analysis.periodicity import Periodicity, periodicity
from difftem.analysis.vacuum import Vacuum, find_vacuum
from difftem.workflows.analyze.counted_frame import CountedFrame, counted_frame
from difftem.workflows.analyze.figures import draw_gradient, draw_likelihood, draw_periodicity
from difftem.workflows.analyze.gradients import chosen_pixels, named_gradients
from difftem.workflows.analyze.options import AnalyzeOptions
from difftem.workflows.analyze.result import AnalysisResult, evidence_lines, evidence_numbers
from difftem.workflows.analyze.truth import read_truth, truth_scores
from difftem.workflows.denoise.exposures import DenoiseInput
from difftem.workflows.denoise.methods import METHODS

logger = logging.getLogger(__name__)

_REACH = 4.2  # Å to the furthest neighbour: 1.5 times the distance of columns
_SEARCH = 0.2  # Å that a centre may move


def analyze_frame(
    found: DenoiseInput, options: AnalyzeOptions, messages: list[str]
) -> AnalysisResult:
    """Analyse one image of some exposures.

    Parameters
    ----------
    found : DenoiseInput
        The image.
    options : AnalyzeOptions
        What was asked for.
    messages : list of str
        That grows while something is said.

    Returns
    -------
    AnalysisResult
        Columns, verdicts, numbers, pictures.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    truth = None if options.truth is None else read_truth(options.truth)
    frame = counted_frame(found, options.denoise)
    if frame.function is None:
        _tell_no_maps(frame.method, options)
    size, counts = frame.pixel_size, frame.counts
    expected = frame.denoise(counts)
    columns = find_columns(expected.cpu(), size, contrast=options.contrast)
    shape = (counts.shape[0], counts.shape[1])
    border = border_distance(columns.positions, shape)
    surface = at_surface(columns.positions, _REACH / size, shape)
    vacuum = find_vacuum(counts.cpu(), columns.positions, size)
    repeats = periodicity(expected.cpu(), size)
    electrons = float(counts.mean())
    lines = [_columns_line(columns, surface, repeats, size)]
    numbers: dict[str, Any] = {
        "electrons_per_pixel": electrons,
        "columns_found": len(columns.positions),
        "columns_at_surface": int(surface.sum()),
        "repeats_angstrom": (size * repeats.steps.norm(dim=1)).tolist()[:6],
        "vacuum_electrons_per_pixel": options.vacuum or (vacuum.level if vacuum else None),
    }
    tested, evidence = _tested(frame, expected, columns, surface, border, vacuum, options)
    if evidence is not None:
        level = float(options.vacuum or (vacuum.level if vacuum else electrons))
        lines += evidence_lines(evidence, electrons, level)
        numbers["likelihood"] = evidence_numbers(evidence)
    gradients = named_gradients(
        frame, columns, chosen_pixels(columns, surface, vacuum, options.gradient)
    )
    lines += [each.sentence() for each in gradients]
    if truth is not None:
        scores = truth_scores(columns.positions, surface, truth, options.tolerance / size)
        lines += [_truth_line(name, each, options.tolerance) for name, each in scores.items()]
        numbers["truth"] = {"tolerance_angstrom": options.tolerance, **scores}
    title = f"{found.name}: {frame.method}, {electrons:.3g} e/pixel, {size:.4g} Å/pixel"
    figures: dict[str, Any] = {
        "likelihood": draw_likelihood(
            counts.cpu(), expected, columns, tested, evidence, size, title
        ),
        "periodicity": draw_periodicity(repeats, gradients, size, title),
    }
    for each in gradients:
        figures[f"gradient_{each.name}"] = draw_gradient(each, expected, columns, size, title)
    return AnalysisResult(
        found.name,
        size,
        frame.method,
        expected.cpu(),
        columns,
        surface,
        tested,
        evidence,
        gradients,
        numbers,
        lines,
        asdict(options),
        messages,
        figures,
    )


def _tell_no_maps(method: str, options: AnalyzeOptions) -> None:
    """Say why there are no gradient maps; refuse to go on where they were asked for."""
    line = (
        "no gradient maps of an image that is resampled for its network: --method wiener has them"
        if METHODS[method].trained
        else f"method {method} has no gradient maps: networks and wiener have"
    )
    if options.gradient:
        raise ValueError(f"gradient: {line}")
    logger.info("%s", line)


def _tested(
    frame: CountedFrame,
    expected: Tensor,
    columns: FoundColumns,
    surface: Tensor,
    border: Tensor,
    vacuum: Vacuum | None,
    options: AnalyzeOptions,
) -> tuple[Tensor, ColumnEvidence | None]:
    """Test the columns that were asked for, but for those at the border."""
    size = frame.pixel_size
    disc = DiscSurface(options.radius / size)
    search = round(_SEARCH / size)
    wanted = {"surface": surface, "all": torch.ones_like(surface), "none": surface & ~surface}
    inside = border >= disc.reach + search + 1
    chosen = wanted[options.columns]
    tested = (chosen & inside).nonzero()[:, 0]
    if left_out := int((chosen & ~inside).sum()):
        logger.info("note: columns at the border of the image are not tested: %d", left_out)
    if not len(tested):
        return tested, None
    level = options.vacuum or (vacuum.level if vacuum else None)
    if level is None:
        level = float(frame.counts.mean())
        logger.warning(
            "no vacuum in the image: SBD's ratio is against the image's mean, %.3g e/pixel (give "
            "--vacuum)",
            level,
        )
    generator = torch.Generator().manual_seed(options.denoise.seed)
    with tqdm(desc="null frames", unit="frame", disable=not sys.stderr.isatty()) as bar:
        evidence = column_evidence(
            lambda counts: frame.denoise(counts.to(frame.counts.device)).cpu(),
            frame.counts.cpu(),
            columns.positions[tested],
            disc,
            vacuum=level,
            columns=columns.positions if options.present == "neighbours" else None,
            frames=options.null_frames,
            level=options.level,
            contrast=options.contrast,
            search=search,
            expected=expected.cpu(),
            generator=generator,
            progress=bar.update,
        )
    return tested, evidence


def _columns_line(
    columns: FoundColumns, surface: Tensor, repeats: Periodicity, pixel_size: float
) -> str:
    """Say what was found."""
    steps = ", ".join(f"{d:.2f}" for d in (pixel_size * repeats.steps.norm(dim=1)).tolist()[:3])
    again = f"; the image repeats itself after {steps} Å" if steps else ""
    return (
        f"columns: {len(columns.positions)} found, {int(surface.sum())} of them at a surface{again}"
    )


def _truth_line(name: str, scores: dict[str, float], tolerance: float) -> str:
    """Say how near to the truth it is."""
    which = {"all": "all columns", "surface": "columns at a surface"}[name]
    return (
        f"truth, {which}: precision {scores['precision']:.3f}, recall {scores['recall']:.3f}, F1 "
        f"{scores['f1']:.3f}, Jaccard {scores['jaccard']:.3f} (within {tolerance:g} Å)"
    )
