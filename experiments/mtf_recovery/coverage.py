"""Coverage of the bands: ``python -m experiments.mtf_recovery.coverage``.

In memory and without a Trainer, because of the number of fits; the likelihood is that of
`difftem.tasks.mtf_fit.MTFFit`.
"""

import copy
import importlib
import math
import time
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
import yaml
from tqdm import tqdm

from difftem.metrics.mtf_error import BandCoverage, MTFError
from difftem.tasks.mtf_fit import MTFFitResult, fit_spectrum, measure, select_family
from experiments._base.results import markdown_table, save_results

HERE = Path(__file__).parent


def instantiate(spec: dict[str, Any], **more: Any) -> Any:
    """Make what a configuration names by ``class_path`` and ``init_args``."""
    module, _, name = spec["class_path"].rpartition(".")
    return getattr(importlib.import_module(module), name)(**spec["init_args"], **more)


def fit(task: tuple[str, bool, bool, int, int]) -> dict[str, float]:
    """Fit one simulated set of crops.

    Parameters
    ----------
    task : tuple
        Name of the detector, whether the gain is known, whether AIC chooses the family, number of
        crops, seed.

    Returns
    -------
    dict of str to float
        Fraction of the curve inside the band, root mean square of error over standard error,
        p-value, seconds.
    """
    detector, known, auto, crops, seed = task
    torch.set_num_threads(1)
    config = yaml.safe_load((HERE / f"{detector}.yaml").read_text("utf-8"))
    spec = copy.deepcopy(config["data"])
    spec["init_args"] |= {"n": crops, "seed": seed}
    data = instantiate(spec)
    images, means = data.crops.images, data.crops.means
    model = config["model"]["init_args"]
    start = time.perf_counter()
    limits = (0.0, model.get("max_frequency", 1.0))
    measured, s0 = measure(images, means, model["gain"] if known else None, limits=limits)
    result: MTFFitResult
    if auto:
        result = select_family(measured, s0=s0, n_starts=2)[0]
    else:
        result = fit_spectrum(measured, instantiate(model["mtf"]), s0)
    seconds = time.perf_counter() - start
    truth = data.truth(result.frequency)
    lower, upper = result.band()
    error, coverage = MTFError(), BandCoverage()
    error.update(result.curve, truth)
    coverage.update(lower, upper, truth)
    pull = ((result.curve - truth) / result.standard_error)[upper > lower]
    return {
        "coverage": float(coverage.compute()),
        "pull": float(pull.square().mean().sqrt()),
        "max_error": float(error.compute()["max"]),
        "p_value": result.whiteness.p_value,
        "seconds": seconds,
    }


def table(results: dict[str, list[dict[str, float]]]) -> str:
    """Format all cases; the standard error of the coverage is that over fits."""
    rows = []
    for name, fits in results.items():
        coverage = [each["coverage"] for each in fits]
        middle = mean(coverage)
        spread = math.sqrt(mean((c - middle) ** 2 for c in coverage) / len(fits))
        rows.append(
            [
                *name.split(", "),
                len(fits),
                f"{middle:.3f} ± {spread:.3f}",
                f"{mean(each['max_error'] for each in fits):.4f}",
                f"{mean(each['p_value'] < 0.05 for each in fits):.3f}",
                f"{median(each['seconds'] for each in fits):.2f}",
            ]
        )
    columns = ["detector", "level", "family", "fits", "coverage", "max error", "p < 0.05"]
    return markdown_table([*columns, "seconds of a fit, median"], rows)


def main() -> None:
    """Fit, print, keep."""
    config = yaml.safe_load((HERE / "coverage.yaml").read_text("utf-8"))
    results = {}
    with get_context("spawn").Pool(1) as pool:
        for auto, seeds in ((False, config["seeds"]), (True, config["auto_seeds"])):
            for detector in config["sets"]:
                for known in (True, False):
                    tasks = [(detector, known, auto, config["crops"], s) for s in range(seeds)]
                    level, family = "known" if known else "free", "by AIC" if auto else "its own"
                    name = f"{detector}, {level}, {family}"
                    results[name] = list(tqdm(pool.imap(fit, tasks), total=seeds, desc=name))
                    save_results(HERE, "coverage", results)
    print(table(results))


if __name__ == "__main__":
    main()
