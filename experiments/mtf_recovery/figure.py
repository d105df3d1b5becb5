"""Errors against the number of backgrounds, one panel per detector."""

from pathlib import Path
from statistics import mean

from experiments.mtf_recovery.collect import Finished

_SHOWN = {
    "whittle": ("C0", "o-", "Whittle, gain known"),
    "whittle_free": ("C1", "s-", "Whittle, level free"),
    "psd": ("C2", "^-", "log spectra through the simulator"),
    "ffl_mse": ("C3", "x--", "the paper's: FFL + MSE"),
}


def draw(runs: dict[tuple[str, str, int], list[Finished]], path: Path) -> None:
    """Write a PNG file."""
    from matplotlib.figure import Figure

    detectors = sorted({detector for detector, _, _ in runs}, reverse=True)
    figure = Figure(figsize=(4.6 * len(detectors), 4.2), layout="constrained")
    for index, detector in enumerate(detectors):
        axes = figure.add_subplot(1, len(detectors), index + 1)
        for loss, (color, style, label) in _SHOWN.items():
            points = {n: r for (d, name, n), r in runs.items() if (d, name) == (detector, loss)}
            numbers = sorted(points)
            errors, bound = (
                [mean(run.metrics[f"fit/{name}"] for run in points[n]) for n in numbers]
                for name in ("max_error", "expected_max_error")
            )
            axes.loglog(numbers, errors, style, color=color, label=label)
            if loss.startswith("whittle"):
                axes.loglog(numbers, bound, ":", color=color, lw=1)
        axes.set(title=detector, xlabel="backgrounds of 256²", ylabel="maximum error of the MTF")
        axes.grid(alpha=0.3, which="both")
    figure.axes[0].legend(fontsize=8)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, format="png", dpi=110)
