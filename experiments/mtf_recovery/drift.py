"""How a fit that starts at the truth leaves it, or does not."""

from collections import defaultdict
from pathlib import Path

import torch

from difftem.functional.mtf import lorentzians
from experiments._base.results import markdown_table, mean_and_sd
from experiments.mtf_recovery.collect import Finished, finished

STEPS = (0, 10, 100, 299)
_NAMES = ("b", "c", "alpha", "beta")
_WEIGHT_A = 0.7  # is not fitted
_TRUTH = (0.7, 0.2, 0.1, 10.0, 40.0)


def drift_table(study: Path) -> str:
    """Maximum error of the curve after some steps; mean and standard deviation over seeds."""
    groups: dict[tuple[str, str], list[Finished]] = defaultdict(list)
    for run in finished(study):
        groups[run.name[2], run.name[1]].append(run)
    rows = []
    for (loss, n), runs in sorted(groups.items()):
        if loss == "whittle":  # its searches have no steps that compare with Adam's
            cells = [""] * len(STEPS)
        else:
            traces = [drift(run) for run in runs]
            cells = [mean_and_sd([t[min(step, len(t) - 1)] for t in traces]) for step in STEPS]
        end = mean_and_sd([run.metrics["fit/max_error"] for run in runs])
        rows.append([loss, n.removeprefix("n"), *cells, end])
    return markdown_table(["loss", "n", *(f"step {s + 1}" for s in STEPS), "end"], rows)


def drift(run: Finished) -> list[float]:
    """Maximum error at each logged step."""
    frequency = torch.linspace(0.0, 0.5, 101, dtype=torch.float64)
    truth = lorentzians(frequency, *(torch.tensor(v, dtype=torch.float64) for v in _TRUTH))
    errors = []
    for row in run.rows:
        if row.get("mtf/alpha"):
            fitted = [_WEIGHT_A, *(float(row[f"mtf/{name}"]) for name in _NAMES)]
            numbers = (torch.tensor(v, dtype=torch.float64) for v in fitted)
            errors.append(float((lorentzians(frequency, *numbers) - truth).abs().max()))
    return errors
