"""Ask whether atoms are real, and which counts a denoised pixel is made of.

``python -m experiments.sbd_analysis.run --set runs/sbd_set``

Needs a set of nanoparticles (``difftem generate experiments/sbd/training.yaml --output FOLDER``).
``--networks NAME=FILE.safetensors ...`` adds networks to the gradient maps.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from difftem.io.errors import InputError
from difftem.workflows.denoise.load_network import find_weights, load_network
from difftem.workflows.denoise.network_method import NetworkMethod
from experiments._base.results import write_readme
from experiments._base.rows import write_rows
from experiments._base.score_cache import ScoreCache, digest
from experiments.sbd_analysis.gradients import draw_gradients, gradient_rows, network_gradients
from experiments.sbd_analysis.pictures import draw_sites
from experiments.sbd_analysis.scenes import Scene, make_scenes
from experiments.sbd_analysis.score import count_denoiser, score_null, score_sites
from experiments.sbd_analysis.tables import report

HERE = Path(__file__).parent


def read_config() -> dict[str, Any]:
    """Read the numbers."""
    config: dict[str, Any] = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    return config


def named_networks(words: list[str]) -> dict[str, nn.Module | None]:
    """Load networks that are given as NAME=FILE."""
    found: dict[str, nn.Module | None] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not (name and equals and path):
            raise InputError(f"--networks must be NAME=FILE.safetensors, got {word!r}")
        found[name] = load_network(path)
    return found


def weights_line(network: nn.Module) -> str:
    """Say what network was asked."""
    account: Any = getattr(network, "account", {})
    steps = account.get("training", {}).get("steps", "unknown")
    psnr = account.get("validation", {}).get("val/psnr")
    score = "" if psnr is None else f", range PSNR {psnr:.1f} dB in its validation"
    return f"Network: {account['network']['class']} after {steps} steps of training{score}."


def kept_scenes(folder: Path, config: dict[str, Any], runs: Path) -> list[Scene]:
    """Make scenes once: they are kept in the folder of the runs."""
    names = ("split", "models", "sites", "apart", "side", "window", "seed")
    recipe = (folder / "nanoparticles.yaml").read_bytes()
    path = runs / f"scenes_{digest(recipe, [config[name] for name in names])}.pt"
    if not path.is_file():
        runs.mkdir(parents=True, exist_ok=True)
        torch.save([vars(scene) for scene in make_scenes(folder, config)], path)
    return [Scene(**facts) for facts in torch.load(path, weights_only=True)]


def main() -> int:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--set", type=Path, default=Path("runs/sbd_set"), help="folder of images")
    add("--weights", default="atoms", help="that are tested (default: atoms)")
    add("--networks", nargs="*", default=[], metavar="NAME=FILE", help="more gradient maps")
    add("--runs", type=Path, default=Path("runs/sbd_analysis"))
    add("--pictures", type=Path, help="folder for pictures")
    add("--quick", action="store_true", help="two models, few frames; keeps nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = read_config()
    if arguments.quick:
        config |= {"models": 2, "frames": 3}
        config["tested"] |= {"absent": 1, "present": 1, "drawn": 19}
    network = load_network(arguments.weights)
    key = digest(find_weights(arguments.weights).read_bytes())
    method = NetworkMethod(network)

    def whitened(values: Tensor) -> Tensor:
        return method(values[None], float(config["vacuum"]))

    denoise, cache = count_denoiser(whitened), ScoreCache(arguments.runs / "scores.jsonl")
    scenes = kept_scenes(arguments.set, config, arguments.runs)
    sites = score_sites(denoise, scenes, config, cache, key)
    null = score_null(denoise, scenes, config, cache, key)
    name = Path(arguments.weights).stem
    networks = {name: network, **named_networks(arguments.networks), "wiener": None}
    scene = scenes[config["gradient"]["model"]]
    gradients = network_gradients(networks, scene, config)
    rows = gradient_rows(gradients)
    text = f"{weights_line(network)}\n\n{report(sites, null, rows, config)}"
    print(text)
    if arguments.pictures:
        shown = scenes[: config["shown"]["models"]]
        draw_sites(denoise, shown, config, arguments.pictures / "sbd_likelihood.png")
        draw_gradients(gradients, scene, scene.present, arguments.pictures / "sbd_gradient.png")
    if not arguments.quick:
        for table, of in (("sites", sites), ("null", null), ("gradients", rows)):
            write_rows(HERE / "results" / f"{table}.csv", of)
        write_readme(HERE, "run.py", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
