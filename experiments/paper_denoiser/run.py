"""Show what the DiffTEM paper's denoiser converges to.

``python -m experiments.paper_denoiser.run`` writes the tables of README.md and of
docs/explanation/paper_denoiser.md, the latter's picture, and the exposures that
``difftem fit --config experiments/paper_denoiser/fit.yaml`` works on.
"""

import argparse
from pathlib import Path
from typing import Any

import yaml

from difftem.io.mrc import write_mrc
from experiments._base.results import save_results, write_marked
from experiments._base.score_cache import ScoreCache
from experiments.denoise_dose.setting import clean_scene, setting
from experiments.paper_denoiser.score import AVERAGE, EXACT, paper_case, score_all
from experiments.paper_denoiser.tables import draw, drift_table, score_table, verdict

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"


def report(rows: list[dict[str, Any]], config: dict[str, Any]) -> str:
    """Format all that is written."""
    return "\n\n".join(
        [
            f"Mean ± standard deviation over {len(config['seeds'])} seeds of the noise; "
            f"{config['steps']} steps of {config['samples']} noisy copies.",
            verdict(rows, config),
            score_table(rows),
            "Contrast of the optimiser as in the paper, over the average's:",
            drift_table(rows, config),
        ]
    )


def write_exposures(structures: Path, folder: Path, config: dict[str, Any]) -> Path:
    """Write the exposures of the setting that all optimisers are run at."""
    clean, _ = clean_scene(structures, folder / "scenes")
    path = folder / "exposures.mrc"
    case = paper_case(clean, *config["compared"][0], config["seeds"][0])
    write_mrc(path, case.exposures.numpy(), setting()["pixel_size"], overwrite=True)
    return path


def main() -> None:
    """Measure, print, draw, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--structures",
        type=Path,
        default=Path("../shared/data/structures"),
        help="folder of 2OM3.pdb (default: ../shared/data/structures)",
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/paper_denoiser"))
    parser.add_argument("--quick", action="store_true", help="10 steps, one seed; keeps nothing")
    arguments = parser.parse_args()
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    if arguments.quick:
        config |= {"steps": 10, "every": 5, "seeds": config["seeds"][:1], "priors_at": []}
    cache = ScoreCache(arguments.runs / "scores.jsonl")
    print(f"wrote {write_exposures(arguments.structures, arguments.runs, config)}")
    rows, drawn = score_all(config, arguments.structures, arguments.runs, cache)
    text = report(rows, config)
    print(text)
    if arguments.quick:
        return
    shown = [AVERAGE, EXACT, next(iter(config["optimisers"])), *config["priors"]]
    draw(drawn, rows, config, DOCS / "images" / "paper_denoiser.png", shown)
    save_results(HERE, "scores", {"rows": rows})
    for path in (HERE / "README.md", DOCS / "explanation" / "paper_denoiser.md"):
        write_marked(path, "run.py", text)


if __name__ == "__main__":
    main()
