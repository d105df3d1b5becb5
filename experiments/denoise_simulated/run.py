"""Denoise simulated micrographs of unseen particles.

``python -m experiments.denoise_simulated.run --weights WEIGHTS [WEIGHTS OF ANOTHER SEED]``
"""

import argparse
from pathlib import Path
from typing import Any

import yaml

from experiments._base.denoisers import baselines, trained, weights_label
from experiments._base.results import save_results, write_readme
from experiments._base.score_cache import ScoreCache
from experiments.denoise_simulated.panels import draw_panels
from experiments.denoise_simulated.scenes import CleanScene, found_kinds, scenes
from experiments.denoise_simulated.score import score_scenes, score_tmv_setting
from experiments.denoise_simulated.tables import dose_table, scene_table, setting_table, verdict

HERE = Path(__file__).parent


def report(
    rows: list[dict[str, Any]],
    setting: list[dict[str, Any]],
    config: dict[str, Any],
    stand_in: bool = False,
) -> str:
    """Format all tables."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    networks = [name for name in methods if name not in config["baselines"]]
    reference = config["reference"]
    number = len({(row["scene"], row["dose"], row["seed"]) for row in rows})
    parts = [
        f"{number} images; mean ± standard deviation over {len(config['seeds'])} seeds of noise "
        f"and ice. Errors are below the ring of ice (1/{config['ring_from']:g} 1/Å), the truth has "
        "no ice. The last columns are ratios too: to the best radial filter in hindsight, which is "
        "told the truth's spectrum; to Wiener's with all frequencies; and with ice in the truth.",
        verdict(rows, networks, reference, config["targets"]) if networks else "",
        dose_table(rows, methods, reference),
        "By scene, ratio of NMSE, mean over the seeds:",
        scene_table(rows, methods, reference),
    ]
    if stand_in:
        parts.insert(0, "**Structures are missing: a random map stands in for a kind.**")
    if setting:
        parts += [
            "TMV setting, (e/nm², exposures): PSNR (range of the truth) and correlation in the "
            "camera's blurred image:",
            setting_table(setting, methods),
        ]
    return "\n\n".join(part for part in parts if part)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--weights", nargs="*", default=[], help="files, or names of shipped weights"
    )
    parser.add_argument(
        "--no-balance", action="store_true", help="leave out what users get: only the network"
    )
    parser.add_argument("--structures", type=Path, default=Path("../shared/data/structures"))
    parser.add_argument("--runs", type=Path, default=Path("runs/denoise_simulated"))
    parser.add_argument("--quick", action="store_true", help="one seed of noise; writes no README")
    parser.add_argument("--panels", type=Path, help="folder for pictures")
    parser.add_argument("--wandb", action="store_true", help="log the tables to W&B, offline")
    arguments = parser.parse_args()
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    if arguments.quick:
        config["seeds"] = config["seeds"][:1]
    denoisers = baselines(config["baselines"])
    for weights in arguments.weights:
        name = "sbd" if len(arguments.weights) == 1 else f"sbd {weights_label(weights)}"
        denoisers += trained(weights, name, not arguments.no_balance)
    cache = ScoreCache(arguments.runs / "scores.jsonl")
    wanted = scenes(config, arguments.structures)
    rows = score_scenes(denoisers, wanted, config, arguments.runs, cache)
    kinds = found_kinds(config, arguments.structures)
    setting = []
    if "TMV" in kinds:
        scene = CleanScene(
            **config["tmv_setting"]["scene"],
            source=kinds["TMV"],
            seed=config["scene_seed"],
            camera="ideal",
        )
        setting = score_tmv_setting(denoisers, scene, config, arguments.runs, cache)
    text = report(rows, setting, config, len(kinds) != len(config["kinds_wanted"]))
    print(text)
    if arguments.panels:
        draw_panels(denoisers, wanted, config, arguments.runs, arguments.panels)
    if arguments.wandb:
        from experiments._base.log_tables import log_tables

        log_tables("denoise_simulated", {"images": rows, "tmv": setting}, config)
    if not arguments.quick:
        save_results(HERE, "scores", {"images": rows, "tmv_setting": setting})
        write_readme(HERE, "run.py", text)


if __name__ == "__main__":
    main()
