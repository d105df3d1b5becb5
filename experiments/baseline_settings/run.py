"""Settings of the classical denoisers: ``python -m experiments.baseline_settings.run``."""

import argparse
import inspect
import json
import math
import os
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

import difftem
from difftem.baselines.block_matching import bm3d, bmnd
from difftem.baselines.gaussian import gaussian
from difftem.baselines.pure_let import pure_let
from difftem.baselines.topaz import topaz, topaz_small
from difftem.baselines.vst import vst
from difftem.baselines.wavelets import wavelets
from difftem.baselines.wiener import wiener
from difftem.io.mrc import read_mrc
from experiments._base.results import markdown_table, save_results, write_readme

HERE = Path(__file__).parent
# Neither spikes nor TMV, on which methods are compared.
SCENE: dict[str, Any] = {
    "size": (256, 256),
    "pixel_size": 1.5,
    "defocus_um": 1.5,
    "seed": 3,
    "particles": [
        {"name": "apoferritin", "source": "apoferritin", "count": 2},
        {
            "name": "blob",
            "source": "phantom",
            "count": 2,
            "phantom": {"size_nm": [14, 9, 9], "contrast": 3.0, "smoothness": 1.0},
        },
    ],
}
ELECTRONS = (4.0, 15.0, 40.0, 150.0)  # per pixel
Grid = dict[str, tuple[float | str, ...]]
GRIDS: dict[Callable[..., Tensor], Grid] = {
    gaussian: {},
    wiener: {},
    vst: {"binning": (4.0, 6.0, 8.0, 12.0), "strength": (0.3, 0.4, 0.5, 0.6, 0.8)},
    wavelets: {"binning": (2.0, 4.0, 6.0), "wavelet": ("db2", "sym4", "bior4.4")},
    pure_let: {"binning": (1.0, 2.0, 4.0)},
    bm3d: {"binning": (3.0, 4.0, 6.0), "sigma": (0.9, 1.0, 1.1)},
    bmnd: {"binning": (6.0, 8.0)},
    topaz: {"binning": (1.0, 2.0, 4.0)},
    topaz_small: {"binning": (1.0, 2.0, 4.0)},
}


def clean_scene() -> Tensor:  # (y, x)
    """Simulate the scene without noise, its mean 1."""
    with tempfile.TemporaryDirectory() as name:
        made = difftem.generate(Path(name) / "set", cache=str(Path(name) / "cache"), **SCENE)
        image = torch.from_numpy(read_mrc(made.items[0] / "noise_free.mrc").data).float()
    return image / image.mean()


def score(
    method: Callable[..., Tensor], settings: dict[str, Any], scene: Tensor
) -> tuple[list[float], float]:
    """Denoise the scene at every dose.

    Returns
    -------
    errors : list of float
        Mean square error over that of the mean image, for each dose.
    seconds : float
        CPU seconds per megapixel, the median over doses.
    """
    errors, seconds = [], []
    for electrons in ELECTRONS:
        counts = torch.poisson(scene * electrons, torch.Generator().manual_seed(0))
        truth = (scene - 1) * math.sqrt(electrons)
        start = cpu_seconds()
        estimate = method((counts[None] - electrons) / math.sqrt(electrons), electrons, **settings)
        seconds.append((cpu_seconds() - start) * 1e6 / scene.numel())
        errors.append(float((estimate - truth).square().mean() / truth.square().mean()))
    return errors, sorted(seconds)[len(seconds) // 2]


def cpu_seconds() -> float:
    """CPU seconds of this process and of those that it has called."""
    return sum(os.times()[:4])


def measure(known: list[dict[str, Any]]) -> None:
    """Try every setting of every grid that is not known yet, and save each at once."""
    rows, scene = list(known), clean_scene()
    tasks = [
        (method, dict(zip(grid, values, strict=True)))
        for method, grid in GRIDS.items()
        for values in product(*grid.values())
    ]
    done = [(row["method"], row["settings"]) for row in rows]
    for method, settings in tqdm(tasks, desc="settings"):
        if (method.__name__, settings) in done:
            continue
        try:
            errors, seconds = score(method, settings, scene)
        except ValueError as error:  # a package or program is not there
            tqdm.write(f"{method.__name__} is left out: {error}")
            continue
        mean = math.exp(sum(map(math.log, errors)) / len(errors))
        rows.append(
            {
                "method": method.__name__,
                "settings": settings,
                "errors": errors,
                "mean": mean,
                "s_per_mpx": seconds,
            }
        )
        save_results(HERE, "grid", {"scene": SCENE, "rows": rows})


def report(rows: list[dict[str, Any]]) -> str:
    """Tabulate the best of each method beside its defaults, then the whole grid."""
    columns = [
        "method",
        "settings",
        *(f"{electrons:g} e/pixel" for electrons in ELECTRONS),
        "mean",
        "s per Mpx",
    ]
    by_method = {
        method.__name__: [row for row in rows if row["method"] == method.__name__]
        for method in GRIDS
    }
    best = [min(each, key=lambda row: row["mean"]) for each in by_method.values() if each]
    missing = ", ".join(name for name, each in by_method.items() if not each)
    parts = [
        "Best of each grid:",
        markdown_table(columns, [_cells(row) for row in best]),
        "The grid; the defaults of the package are bold:",
        markdown_table(columns, [_cells(row, bold=_is_default(row)) for row in rows]),
        *([f"Not measured yet: {missing}."] if missing else []),
        f"difftem {difftem.__version__}, one thread.",
    ]
    return "\n\n".join(parts)


def _is_default(row: dict[str, Any]) -> bool:
    method = next(method for method in GRIDS if method.__name__ == row["method"])
    known = inspect.signature(method).parameters
    return all(known[name].default == value for name, value in row["settings"].items())


def _cells(row: dict[str, Any], bold: bool = False) -> list[str]:
    settings = ", ".join(f"{name} {value}" for name, value in row["settings"].items()) or "none"
    mark = "**" if bold else ""
    errors = [f"{error:.3f}" for error in row["errors"]]
    seconds = f"{row['s_per_mpx']:.2g}" if row["s_per_mpx"] < 10 else f"{row['s_per_mpx']:.0f}"
    return [row["method"], f"{mark}{settings}{mark}", *errors, f"{row['mean']:.3f}", seconds]


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="only write the report anew")
    parser.add_argument("--resume", action="store_true", help="only settings without a result")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    path = HERE / "results" / "grid.json"
    if not chosen.report:
        known = chosen.resume and path.exists()
        measure(json.loads(path.read_text("utf-8"))["rows"] if known else [])
    text = report(json.loads(path.read_text("utf-8"))["rows"])
    print(text)
    write_readme(HERE, "run.py", text)


if __name__ == "__main__":
    main()
