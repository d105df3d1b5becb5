"""Is a network better between steps of the likelihood than alone: plug and play, measured.

``python -m experiments.paper_denoiser.plug_and_play``
"""

import argparse
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor
from tqdm import tqdm

from difftem.functional.total_variation import poisson_proximal
from difftem.functional.wiener import wiener_estimate
from difftem.workflows.denoise.load_network import load_network
from difftem.workflows.denoise.network_method import NetworkMethod
from experiments._base.denoisers import network_key
from experiments._base.results import markdown_table, mean_and_sd, save_results, write_readme
from experiments._base.score_cache import ScoreCache, digest
from experiments.denoise_simulated.images import noisy_image
from experiments.denoise_simulated.run import HERE as SCENES
from experiments.denoise_simulated.scenes import clean_image, scenes
from experiments.denoise_simulated.score import score

HERE = Path(__file__).parent
STEPS = (1, 3)
DOSES, SEEDS, SIDE = (1.0, 4.0, 15.0, 40.0), (0, 1), 256  # e/pixel, of the noise, pixels
Network = Callable[[Tensor], Tensor]


def likelihood_steps(
    whitened: Tensor,  # (y, x)
    electrons: float,
    network: Network,
    steps: int,
) -> Tensor:  # (y, x)
    """Take a whole step down the likelihood of counts, then the network, by turns (PnP-PGM).

    The step from e is (C - λ) m / λ in counts: of the noise that the network is given, the variance
    is the same in bright and dark pixels to the first order. The first step starts from the
    network's estimate. With noise of one variance (λ = m) every step would give the network the
    image itself again.
    """
    root = math.sqrt(electrons)
    estimate = network(whitened)
    for _ in range(steps):
        rate = (electrons + root * estimate).clamp(min=0.2 * electrons)
        estimate = network(estimate + (whitened - estimate) * electrons / rate)
    return estimate


def split_steps(
    whitened: Tensor,  # (y, x)
    electrons: float,
    network: Network,
    steps: int,
) -> Tensor:  # (y, x)
    """Proximal maps of the likelihood and the network by turns, with a dual between (PnP-ADMM)."""
    proximal = poisson_proximal(whitened, electrons)
    estimate = network(whitened)
    dual = torch.zeros_like(estimate)
    for _ in range(steps):
        data = proximal(estimate - dual, 1.0)
        # The noise of what the network gets is smaller than 1; it is scaled to what it knows.
        level = 1 / math.sqrt(2)
        estimate = level * network((data + dual) / level)
        dual = dual + data - estimate
    return estimate


def _turns(
    run: Callable[..., Tensor], network: Network, steps: int, whitened: Tensor, electrons: float
) -> Tensor:
    return run(whitened, electrons, network, steps)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--structures", type=Path, default=Path("../shared/data/structures"))
    parser.add_argument("--runs", type=Path, default=Path("runs/paper_denoiser"))
    parser.add_argument("--weights", default="cryo", help="file, or name of shipped weights")
    arguments = parser.parse_args()
    config = yaml.safe_load((SCENES / "config.yaml").read_text("utf-8"))
    method = NetworkMethod(load_network(arguments.weights).eval())
    code = network_key(method.network), Path(__file__).read_text("utf-8")

    @torch.no_grad()
    def network(values: Tensor) -> Tensor:
        return method.run(method.network, values, wiener_estimate(values))

    runs: dict[str, Callable[[Tensor, float], Tensor]] = {
        "the network alone": lambda x, m: network(x),
    }
    for steps in STEPS:
        runs[f"likelihood, network: {steps} x"] = partial(_turns, likelihood_steps, network, steps)
        runs[f"split with a dual: {steps} x"] = partial(_turns, split_steps, network, steps)
    cache = ScoreCache(arguments.runs / "plug_and_play.jsonl")
    wanted = [s for s in scenes(config, arguments.structures) if s.pixel_size in (1.6, 2.6)]
    rows: list[dict[str, Any]] = []
    for scene in tqdm(wanted, desc="scenes", disable=None):
        clean, key = clean_image(scene, config | config["kinds"][scene.kind], arguments.runs)
        corner = (scene.size - SIDE) // 2
        for dose in DOSES:
            for seed in SEEDS:
                image = noisy_image(
                    clean[corner : corner + SIDE, corner : corner + SIDE], scene, dose, seed
                )
                for name, run in runs.items():
                    where = digest(key, dose, seed, name, *code)
                    if where not in cache:
                        estimate = run(image.values, image.electrons)
                        found = score(estimate, image, scene.pixel_size, config)
                        cache.put(where, found["nmse"])
                    rows.append({"dose": dose, "method": name, "nmse": cache.get(where)})
    text = report(rows, len(wanted))
    print(text)
    save_results(HERE, "plug_and_play", {"rows": rows})
    write_readme(HERE, "plug_and_play.py", text)


def report(rows: list[dict[str, Any]], n_scenes: int) -> str:
    """Format errors over the network's own, mean and standard deviation over the images."""
    alone = [row["nmse"] for row in rows if row["method"] == "the network alone"]
    lines = []
    for name in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == name]
        ratios = [(row["dose"], row["nmse"] / one) for row, one in zip(own, alone, strict=True)]
        cells = [mean_and_sd([r for d, r in ratios if d == dose], 3) for dose in DOSES]
        lines.append([name, *cells])
    columns = ["error over that of the network", *(f"{dose:g} e/pixel" for dose in DOSES)]
    said = (
        f"{n_scenes} scenes of experiments/denoise_simulated, {len(SEEDS)} seeds of the noise, the "
        f"middle {SIDE} pixels; mean squared error below the ring of ice, over that of the network "
        "alone, mean ± standard deviation over the images."
    )
    return f"{said}\n\n{markdown_table(columns, lines)}"


if __name__ == "__main__":
    main()
