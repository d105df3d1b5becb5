"""A fit in words and tables."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from difftem.analysis.fisher import expected_maximum
from difftem.metrics.mtf_error import BandCoverage, MTFError
from difftem.tasks.mtf_fit.figure import draw_fit
from difftem.tasks.mtf_fit.result import MTFFitResult
from difftem.tasks.report import FittedValue, Report, Table

_SHOWN = (0.1, 0.2, 0.3, 0.4, 0.5)  # cycles/pixel


def make_report(
    results: Sequence[MTFFitResult],
    truth: Tensor | None = None,  # (101,)
    notes: Sequence[str] = (),
    title: str = "NTF from noise",
) -> Report:
    """Report the first of several fits of one spectrum; the others are named beside it.

    Parameters
    ----------
    results : sequence of MTFFitResult
        The chosen one first, then the families that it was compared with.
    truth : Tensor, optional
        Known curve at the frequencies of the results.
    notes : sequence of str
        What is known about the data, one line each.
    title : str
        Heading.

    Returns
    -------
    Report
        With the table ``mtf_curve`` and the figure ``mtf``.

    Examples
    --------
    >>> import torch
    >>> from difftem.tasks.mtf_fit import fit_spectrum, make_report, measure, mtf_family
    >>> noise = 100 + 10 * torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> measured, s0 = measure(noise, noise.mean((1, 2)), gain=1.0)
    >>> result = fit_spectrum(measured, mtf_family("even_spline_5"), s0=s0, n_starts=1)
    >>> make_report([result], title="White noise").text.splitlines()[0]
    '# White noise'
    """
    result = results[0]
    sections = [
        f"# {title}",
        _sentence(result),
        "## Curve\n\n" + markdown(curve_table(result, truth)),
        "## Parameters\n\n" + markdown(parameter_table(result)),
        "## Test\n\n" + _test(result),
    ]
    if len(results) > 1:
        sections.append("## Families\n\n" + markdown(family_table(results)))
    if result.warnings:
        sections.append("## Warnings\n\n" + "\n".join(f"- {w}" for w in result.warnings))
    if notes:
        sections.append("## Data\n\n" + "\n".join(f"- {note}" for note in notes))
    return Report(
        "\n\n".join(sections) + "\n",
        fit_metrics(result, truth),
        {"mtf_curve": full_curve(result, truth)},
        {"mtf": draw_fit(result, truth, results[1:], title)},
        fitted_values(result, truth),
    )


def fitted_values(result: MTFFitResult, truth: Tensor | None = None) -> list[FittedValue]:
    """Curve at half of Nyquist and there, noise, and the test, for one line."""
    half = len(result.frequency) // 2
    values = [
        FittedValue(f"NTF({q:g}/pixel)", float(result.curve[i]), float(result.standard_error[i]))
        for q, i in ((0.25, half), (0.5, -1))
    ]
    values += [
        FittedValue("s0", result.s0, result.s0_error, "grey values²"),
        FittedValue("read noise", result.read_noise, result.read_noise_error, "grey values"),
        FittedValue("p of the fit", result.whiteness.p_value),
    ]
    if truth is not None:
        largest = float((result.curve - truth.to(result.curve)).abs().max())
        values.append(FittedValue("largest error of the curve", largest))
    return values


def curve_table(result: MTFFitResult, truth: Tensor | None = None) -> Table:
    """Curve with standard errors at a few frequencies."""
    step = 0.5 / (len(result.frequency) - 1)
    rows = []
    for frequency in _SHOWN:
        i = round(frequency / step)
        values = (result.curve[i], result.standard_error[i], result.cramer_rao_error[i])
        row = [f"{frequency:g}", *(_number(float(value), ".4f") for value in values)]
        rows.append(row if truth is None else [*row, f"{float(truth[i]):.4f}"])
    columns = ["frequency (cycles/pixel)", "NTF", "standard error", "Cramér-Rao bound"]
    return Table(columns if truth is None else [*columns, "truth"], rows)


def parameter_table(result: MTFFitResult, *, knots: bool = True) -> Table:
    """Parameters with standard errors, those of a spline's knots only where wanted."""
    rows = [
        [name, f"{value:.5g}", _number(error, ".2g")]
        for name, value, error in zip(
            result.names, result.values.tolist(), result.standard_errors.tolist(), strict=True
        )
        if name not in ("s0", "read_variance") and (knots or not name.endswith("]"))
    ]
    for name, value, error in (
        ("s0 (grey values²)", result.s0, result.s0_error),
        ("read noise (grey values)", result.read_noise, result.read_noise_error),
    ):
        rows.append([name, f"{value:.5g}", _number(error, ".2g") if error else "given"])
    return Table([f"{result.family}", "value", "standard error"], rows)


def family_table(results: Sequence[MTFFitResult]) -> Table:
    """Families by AIC, and how far their curves are from the chosen one."""
    best = results[0]
    rows = [
        [
            each.family,
            each.n_parameters,
            f"{each.aic - best.aic:.1f}",
            f"{each.whiteness.p_value:.2g}",
            f"{float((each.curve - best.curve).abs().max()):.4f}",
        ]
        for each in results
    ]
    return Table(["family", "parameters", "ΔAIC", "p", "largest difference"], rows)


def full_curve(result: MTFFitResult, truth: Tensor | None = None) -> Table:
    """Curve, band and bound at all frequencies."""
    lower, upper = result.band()
    columns = {
        "frequency": result.frequency,
        "ntf": result.curve,
        "lower_95": lower,
        "upper_95": upper,
        "standard_error": result.standard_error,
        "cramer_rao_error": result.cramer_rao_error,
    }
    if not result.has_band:
        for name in ("lower_95", "upper_95", "standard_error"):
            del columns[name]
    if truth is not None:
        columns["truth"] = truth.to(result.curve)
    return Table(list(columns), torch.stack(list(columns.values()), 1).tolist())


def fit_metrics(result: MTFFitResult, truth: Tensor | None = None) -> dict[str, float]:
    """Single numbers, with errors where the truth is known."""
    found = {
        "fit/aic": result.aic,
        "fit/log_likelihood": result.log_likelihood,
        "fit/p_value": result.whiteness.p_value,
        "fit/s0": result.s0,
        "fit/read_noise": result.read_noise,
        "fit/n_parameters": float(result.n_parameters),
        "fit/expected_max_error": float(expected_maximum(result.cramer_rao)),
        "fit/expected_mean_error": float(result.cramer_rao_error.mean()) * (2 / math.pi) ** 0.5,
    }
    if truth is not None:
        # The first process alone reports: the others would not answer.
        error = MTFError(sync_on_compute=False)
        coverage = BandCoverage(sync_on_compute=False)
        error.update(result.curve, truth.to(result.curve))
        coverage.update(*result.band(), truth)
        found |= {f"fit/{name}_error": float(error.compute()[name]) for name in ("max", "mean")}
        if result.has_band:
            found["fit/coverage"] = float(coverage.compute())
    return found


def markdown(table: Table) -> str:
    """Format a table as Markdown, as its cells are."""
    from tabulate import tabulate

    return tabulate(table.rows, table.columns, tablefmt="pipe", disable_numparse=True)


def _sentence(result: MTFFitResult) -> str:
    """Say what was fitted to what."""
    low, high = (float(result.spectrum.frequency[i]) for i in (0, -1))
    known = "known from the gain" if result.s0_error == 0 else "fitted"
    errors = (
        "Errors are one standard deviation, from the observed information; the band in the figure "
        "is 95 %."
        if result.has_band
        else "The loss is no likelihood: there are no errors and no band."
    )
    return (
        f"Family `{result.family}`, loss `{result.loss}`, {result.n_crops} crops, {low:.3f} to "
        f"{high:.3f} cycles/pixel, noise level {known}. {errors} The curve is the noise transfer "
        "function (NTF), which is the MTF where every electron leaves the same spot."
    )


def _number(value: float, form: str) -> str:
    """Format an error, or say that there is none."""
    if math.isnan(value):
        return "none"
    return format(value, form) if math.isfinite(value) else "not determined"


def _test(result: MTFFitResult) -> str:
    """Chi-square in words."""
    test = result.whiteness
    verdict = "agrees with" if test.p_value >= 1e-3 else "does not agree with"
    return (
        f"The measured spectrum {verdict} the fit: χ² = {test.total:.1f} for {test.degrees} "
        f"degrees of freedom, p = {test.p_value:.2g}."
    )
