"""Denoise tilt series, reconstruct them, and hold volumes against truth.

``python -m experiments.tomography.run``
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor
from tqdm import tqdm

from difftem.io.errors import InputError
from difftem.units import nm_to_angstrom
from experiments._base.denoisers import NamedDenoiser
from experiments._base.results import write_marked, write_readme
from experiments._base.rows import Row, pick, read_rows, write_rows
from experiments._base.score_cache import ScoreCache, digest, source_digest
from experiments.tomography.match import Matcher, MatchSettings, orientation_scores
from experiments.tomography.panels import draw_slices, keep_slices
from experiments.tomography.scene import TrueSeries, true_series
from experiments.tomography.score import Truth, correlation, mean_correlation, scores, truth_of
from experiments.tomography.stacks import (
    NOISE_FREE,
    contrast,
    noise_free_contrast,
    reconstructed,
    series_methods,
)
from experiments.tomography.tables import report

HERE = Path(__file__).parent
NAME = "tomography"
SCORES = HERE / "results" / "scores.csv"
DOCS = HERE.parents[1] / "docs" / "guides" / "tomography.md"
_VOLUMES, _MATCHING = (
    tuple(f"experiments.{NAME}.{module}" for module in modules)
    for modules in (("scene", "rods", "stacks", "score"), ("match", "rotation_grids"))
)
_COUNT = ("seeds", "methods", "calibration", "scenes", "quick")  # do not change a score


def read_config(quick: bool = False) -> dict[str, Any]:
    """Read the settings; with `quick`, few methods, tilts and seeds."""
    config: dict[str, Any] = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    return config | config["quick"] if quick else config


class SceneRun:
    """Scores of one scene, each computed once.

    Parameters
    ----------
    scene : dict
        Of the configuration.
    config : dict
        All of it.
    structures, runs : Path
        Folders of structure files, and of what is kept.
    """

    def __init__(
        self, scene: dict[str, Any], config: dict[str, Any], structures: Path, runs: Path
    ) -> None:
        self.scene, self.config, self.structures, self.runs = scene, config, structures, runs
        self.cache = ScoreCache(runs / "scores.jsonl")
        rest = {name: value for name, value in config.items() if name not in _COUNT}
        self.code = digest(scene, rest, source_digest(*_VOLUMES, *_MATCHING))
        unmatched = {name: value for name, value in scene.items() if name != "particle"}
        self.settings_code = digest(unmatched, rest, source_digest(*_VOLUMES))
        names = [*config["methods"], NOISE_FREE]
        self.methods = series_methods(config["methods"])
        self.methods.append(NamedDenoiser(NOISE_FREE, NOISE_FREE, lambda exposures, *_: exposures))
        self.methods.sort(key=lambda each: names.index(each.name))

    def series(self, seed: int) -> TrueSeries:
        """Simulate a series, or read it."""
        return true_series(self.scene, self.config, seed, self.structures, self.runs)

    def images(self, method: NamedDenoiser, series: TrueSeries, rows: int | None = None) -> Tensor:
        """Contrast of all images, denoised."""
        if method.name == NOISE_FREE:
            return noise_free_contrast(series, rows)
        return contrast(method, series, self.runs, rows)

    def volume(
        self, images: Tensor, series: TrueSeries, reconstruction: str, setting: float
    ) -> Tensor:
        """Reconstruct."""
        thickness = self.scene["thickness"]
        return reconstructed(images, series, thickness, reconstruction, setting, self.config)

    def setting_key(self, method: NamedDenoiser, reconstruction: str) -> str:
        """Name what `best_setting` has found out."""
        tried = [self.config["reconstructions"][reconstruction], self.config["calibration"]]
        return f"setting:{method.key}:{reconstruction}:{digest(tried)}:{self.settings_code}"

    def best_setting(self, method: NamedDenoiser, reconstruction: str) -> float:
        """Choose the setting of the largest mean correlation, on another series."""
        seed, rows = self.config["calibration"]["seed"], self.config["calibration"]["rows"]
        settings = self.config["reconstructions"][reconstruction]

        def compute() -> list[float]:
            series = self.series(seed)
            truth = self.truth(series, rows)
            images = self.images(method, series, rows)
            volumes = (self.volume(images, series, reconstruction, each) for each in settings)
            curves = (correlation(volume, truth, series) for volume in volumes)
            return [mean_correlation(curve, series) for curve in curves]

        key = self.setting_key(method, reconstruction)
        if key not in self.cache:
            self.cache.put(key, compute())
        found = self.cache.get(key)
        return float(settings[max(range(len(settings)), key=found.__getitem__)])

    def truth(self, series: TrueSeries, rows: int | None = None) -> Truth:
        """Prepare the truth of a series."""
        ice = nm_to_angstrom(self.scene["ice_nm"])
        return truth_of(series, ice, self.config["window"], rows)

    def rows(self, name: str, seed: int, known_only: bool = False) -> list[Row]:
        """Score all methods on one series; with `known_only`, those that were scored before."""
        series: TrueSeries | None = None
        found = []
        wanted = self.scene["particle"]
        for method in self.methods:
            images: Tensor | None = None
            for reconstruction in self.config["reconstructions"]:
                if known_only and self.setting_key(method, reconstruction) not in self.cache:
                    continue
                setting = self.best_setting(method, reconstruction)
                key = f"{method.key}:{reconstruction}:{setting}:{seed}:{self.code}"
                if known_only and key not in self.cache:
                    continue
                if key not in self.cache:
                    if series is None:
                        series = self.series(seed)
                        truth = self.truth(series)
                        settings = {k: v for k, v in wanted.items() if k in _MATCHED}
                        matcher = Matcher(
                            series.template,
                            series.pixel_size,
                            series.tilts_deg,
                            MatchSettings(**settings),
                        )
                    images = self.images(method, series) if images is None else images
                    volume = self.volume(images, series, reconstruction, setting)
                    made = scores(volume, truth, series, self.scene["signal_radius"])
                    made |= orientation_scores(volume, series.particles, matcher, wanted["hit_deg"])
                    keep_slices(self.runs, name, seed, method.name, reconstruction, volume, truth)
                    self.cache.put(key, made)
                facts = {
                    "scene": name,
                    "method": method.name,
                    "reconstruction": reconstruction,
                    "setting": setting,
                    "seed": seed,
                }
                found.append(facts | self.cache.get(key))
        return found


_MATCHED = tuple(MatchSettings.__dataclass_fields__)


def _of_all_seeds(rows: list[Row], seeds: int) -> list[Row]:
    """Leave out what some seeds lack."""
    facts = ("scene", "method", "reconstruction")
    return [row for row in rows if len(pick(rows, **{f: row[f] for f in facts})) == seeds]


def publish(config: dict[str, Any]) -> None:
    """Write the README's tables from the CSV file."""
    write_readme(HERE, "run.py", report(read_rows(SCORES), config))


def summary(config: dict[str, Any]) -> str:
    """Format what docs/guides/tomography.md shows."""
    return report(read_rows(SCORES), config, ("sirt",))


def main(arguments: list[str] | None = None) -> int:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", nargs="+", help="only these; writes nothing")
    parser.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="only these and noise-free; writes nothing"
    )
    parser.add_argument(
        "--known", action="store_true", help="score nothing; write tables of what all seeds have"
    )
    parser.add_argument("--structures", type=Path, default=Path("../shared/data/structures"))
    parser.add_argument("--runs", type=Path, default=Path("runs") / NAME)
    parser.add_argument(
        "--quick", action="store_true", help="few methods and tilts; nothing is written"
    )
    parser.add_argument("--panels", type=Path, help="PNG of slices to draw")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    config = read_config(options.quick)
    try:
        unknown = [name for name in options.scenes or () if name not in config["scenes"]]
        if unknown:
            known = ", ".join(config["scenes"])
            raise InputError(f"--scenes must be of {known}; got {', '.join(unknown)}")
        if options.methods:
            config["methods"] = [name for name in config["methods"] if name in options.methods]
        rows: list[Row] = []
        names = options.scenes or list(config["scenes"])
        for name in names:
            run = SceneRun(config["scenes"][name], config, options.structures, options.runs)
            for seed in tqdm(config["seeds"], desc=name, disable=None):
                rows += run.rows(name, seed, options.known)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if options.known:
        rows = _of_all_seeds(rows, len(config["seeds"]))
    print(report(rows, config))
    if options.panels:
        draw_slices(options.runs, names, config, options.panels)
    if not (options.quick or options.scenes or options.methods):
        write_rows(SCORES, rows)
        publish(config)
        write_marked(DOCS, NAME, summary(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
