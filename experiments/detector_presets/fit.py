"""Fit the detector presets to published MTF curves.

    python experiments/detector_presets/fit.py FOLDER_OF_STAR_FILES

Each curve is fitted by both families of `difftem.presets`; the one with the smaller rms error is
written to `difftem/presets/detectors/<name>.yaml`, and a table of the errors is printed.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

HERE = Path(__file__).parent
PRESETS = HERE.parents[1] / "difftem" / "presets" / "detectors"
NYQUIST = 0.5  # cycles/pixel
KNOTS = range(9, 13)
STARTS = 60  # random starts of the Rullgard fit
CURVE_SOURCE = (
    "our fit to the vendor's curve {file} (RELION convention) as distributed with ttsim3d (BSD-3)"
)

Array = NDArray[np.float64]
Model = Callable[[Array], Array]


class Fit(NamedTuple):
    """One family fitted to one curve."""

    family: str
    parameters: dict[str, float | list[float]]
    max_error: float
    rms_error: float


def read_curve(path: Path) -> tuple[Array, Array]:
    """Read frequency [cycles/pixel] and MTF up to Nyquist from a STAR file."""
    rows = [line.split() for line in path.read_text().splitlines()]
    numbers = np.array([row for row in rows if len(row) == 2 and row[0][0].isdigit()], dtype=float)
    q, mtf = numbers[numbers[:, 0] <= NYQUIST].T
    return q, mtf


def rullgard(theta: Array, q: Array) -> Array:
    """Evaluate Rullgard's MTF at theta = ln(a, b, c, alpha, p, beta, r)."""
    a, b, c, alpha, p, beta, r = np.exp(theta)
    return (a * _bell(alpha, p, q) + b * _bell(beta, r, q) + c) / (a + b + c)


def _bell(width: float, power: float, q: Array) -> Array:
    y = 1 + width * q**2
    with np.errstate(over="ignore"):  # 1 / inf = 0 is the right limit
        return 1 / (2 * (y / 2) ** power + 1 - 2 * 0.5**power)


def minimise(model: Model, start: Array, mtf: Array, bound: float = 18.0) -> Array:
    """Minimise the sum of squared errors over parameters within ±bound."""
    limits = (-bound, bound)
    fit = least_squares(lambda theta: model(theta) - mtf, start, bounds=limits, max_nfev=500)
    return np.asarray(fit.x)


def summarise(family: str, parameters: dict, error: Array) -> Fit:
    """Round to what is stored and keep the two numbers that describe the error."""
    rounded = {key: np.round(value, 6).tolist() for key, value in parameters.items()}
    return Fit(family, rounded, float(np.abs(error).max()), float(np.sqrt(np.mean(error**2))))


def fit_rullgard(q: Array, mtf: Array) -> Fit:
    """Fit the seven parameters from many random starts and keep the best."""
    rng = np.random.default_rng(0)
    spread = np.array([1, 1, 1, 2.5, 1, 2.5, 1])
    starts = np.array([0, 0, 0, 2, 0, 2, 0]) + spread * rng.standard_normal((STARTS, 7))
    ends = [minimise(lambda theta: rullgard(theta, q), start, mtf) for start in starts]
    best = min(ends, key=lambda theta: np.sum((rullgard(theta, q) - mtf) ** 2))
    best[:3] -= np.log(np.exp(best[:3]).sum())  # a + b + c = 1
    names = ("a", "b", "c", "alpha", "p", "beta", "r")
    parameters = dict(zip(names, np.exp(best), strict=True))
    return summarise("rullgard", parameters, rullgard(best, q) - mtf)


def fit_log_spline(q: Array, mtf: Array, n_knots: int) -> Fit:
    """Fit the values of ln H at equispaced knots; the first is 0, so that H(0) = 1."""
    knots = np.linspace(0, NYQUIST, n_knots)
    basis = CubicSpline(knots, np.eye(n_knots), bc_type="natural")(q)[:, 1:]
    start = np.interp(knots[1:], q, np.log(mtf))
    values = minimise(lambda log_mtf: np.exp(basis @ log_mtf), start, mtf)
    parameters = {"log_mtf": np.concatenate([[0.0], values])}
    return summarise("log_spline", parameters, np.exp(basis @ values) - mtf)


def fits(q: Array, mtf: Array) -> Iterator[Fit]:
    """Fit every candidate."""
    yield fit_rullgard(q, mtf)
    for n_knots in KNOTS:
        yield fit_log_spline(q, mtf, n_knots)


def preset(detector: dict, fit: Fit) -> dict:
    """Return the content of one preset file."""
    return {
        "description": detector["description"],
        "mtf": {
            "family": fit.family,
            "parameters": fit.parameters,
            "max_error": round(fit.max_error + 5e-6, 5),
            "rms_error": round(fit.rms_error + 5e-6, 5),
            "source": CURVE_SOURCE.format(file=detector["curve"]),
        },
        "ntf": detector["ntf"],
        "ntf_source": detector["ntf_source"],
        "dqe": detector["dqe"],
        "dqe_assumed": detector["dqe_assumed"],
        "dqe_source": detector["dqe_source"],
        "gain": 1.0,
        "read_noise": 0.0,
    }


def main() -> None:
    """Fit all detectors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("curves", type=Path, help="folder of the published STAR files")
    parser.add_argument("--output", type=Path, default=PRESETS, help="folder of the preset files")
    arguments = parser.parse_args()

    print("| preset | family | knots | max error | rms error | chosen |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, detector in yaml.safe_load((HERE / "detectors.yaml").read_text()).items():
        candidates = list(fits(*read_curve(arguments.curves / detector["curve"])))
        best = min(candidates, key=lambda fit: fit.rms_error)
        for fit in candidates:
            knots = len(fit.parameters.get("log_mtf", ())) or ""
            errors = f"{fit.max_error:.5f} | {fit.rms_error:.5f}"
            print(f"| {name} | {fit.family} | {knots} | {errors} | {'x' if fit is best else ''} |")
        text = yaml.safe_dump(preset(detector, best), sort_keys=False, width=96, allow_unicode=True)
        header = "# Written by experiments/detector_presets/fit.py; change detectors.yaml there.\n"
        (arguments.output / f"{name}.yaml").write_text(header + text)


if __name__ == "__main__":
    main()
