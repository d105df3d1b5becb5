"""A picture of a fit: curve with its band, spectrum, what is left."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from difftem.analysis.ring_bins import equal_bins, merge_rings
from difftem.tasks.mtf_fit.result import MTFFitResult

_POINTS = 150  # of the measured spectrum


def draw_fit(
    result: MTFFitResult,
    truth: Tensor | None = None,  # (101,)
    others: Sequence[MTFFitResult] = (),
    title: str = "",
) -> Any:
    """Draw three panels: NTF with 95 % band, noise power and model, measured over fitted power.

    Parameters
    ----------
    result : MTFFitResult
        The fit.
    truth : Tensor, optional
        Known curve at the frequencies of the result.
    others : sequence of MTFFitResult
        Fits of other families, drawn thin.
    title : str
        One line above.

    Returns
    -------
    Figure
        Of matplotlib, not registered with pyplot.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _draw_curve(left, result, truth, others)
    _draw_spectrum(middle, result)
    test = result.whiteness
    right.errorbar(
        test.frequency.numpy(), test.ratio.numpy(), test.sigma.numpy(), fmt=".", ms=4, lw=0.7
    )
    right.axhline(1.0, color="k", lw=0.7)
    right.set(
        xlabel="frequency (cycles/pixel)",
        ylabel="measured / fitted power",
        title=f"χ² = {test.total:.0f} for {test.degrees} degrees, p = {test.p_value:.2g}",
    )
    if title:
        figure.suptitle(title)
    return figure


def _draw_curve(
    axes: Any, result: MTFFitResult, truth: Tensor | None, others: Sequence[MTFFitResult]
) -> None:
    """Curve, band, and what it is compared with."""
    frequency = result.frequency.numpy()
    lowest, highest = (float(result.spectrum.frequency[i]) for i in (0, -1))
    lowest = lowest if lowest > 0.02 else 0.0
    for i, other in enumerate(others):
        label = "other families, worse by AIC" if i == 0 else None
        axes.plot(frequency, other.curve.numpy(), color="0.7", lw=0.7, label=label)
    lower, upper = result.band()
    if result.has_band:
        axes.fill_between(frequency, lower.numpy(), upper.numpy(), alpha=0.3, label="95 % band")
    measured = (result.frequency >= lowest) & (result.frequency <= highest)
    inside = torch.where(measured, result.curve, torch.nan)
    axes.plot(frequency, inside.numpy(), color="C0", label=f"{result.family}")
    axes.plot(frequency, result.curve.numpy(), ":", color="C0", lw=1)
    if truth is not None:
        axes.plot(frequency, truth.numpy(), "k--", lw=1, label="truth")
    if lowest:
        axes.axvspan(0, lowest, color="0.5", alpha=0.12, lw=0, label="not fitted")
    if highest < 0.485:
        axes.axvspan(highest, 0.5, color="0.5", alpha=0.12, lw=0)
    top = max(1.05, float(result.curve.max()) * 1.05)
    axes.set(
        xlabel="frequency (cycles/pixel)",
        ylabel="NTF (of the noise)",
        xlim=(0, 0.5),
        ylim=(min(0.0, float(result.curve.min())), min(top, 3.0)),
        title="noise transfer, 1 at zero frequency",
    )
    axes.legend(fontsize=9)
    axes.grid(alpha=0.3)


def _draw_spectrum(axes: Any, result: MTFFitResult) -> None:
    """Noise power, merged to some hundred points, and its model."""
    spectrum = result.spectrum
    binned = merge_rings(spectrum, equal_bins(spectrum, _POINTS))
    order = torch.argsort(spectrum.frequency)
    axes.semilogy(binned.frequency.numpy(), binned.power.numpy(), ".", ms=4, label="measured")
    axes.semilogy(spectrum.frequency[order].numpy(), result.model[order].numpy(), label="fit")
    if result.read_noise > 0:
        axes.axhline(result.read_noise**2, color="0.5", ls=":", label="read noise")
    # White noise from 0 on, as its NTF: on a logarithmic scale what is left looks large.
    if float(result.model.max()) < 2 * float(result.model.min()):
        axes.set_yscale("linear")
        axes.set_ylim(bottom=0)
    axes.set(
        xlabel="frequency (cycles/pixel)",
        ylabel="noise power (grey values²)",
        title=f"noise power of {result.n_crops} crops",
    )
    axes.legend(fontsize=9)
    axes.grid(alpha=0.3)
