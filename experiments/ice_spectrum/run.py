"""Structured ice beside real micrographs: ``python -m experiments.ice_spectrum.run``."""

import argparse
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor
from tqdm import tqdm

import difftem
from difftem.io.mrc import read_mrc
from experiments._base.results import markdown_table, save_results, write_readme
from experiments.ice_spectrum.figure import draw
from experiments.ice_spectrum.spectra import radial_spectrum, ring_excess

HERE = Path(__file__).parent


def simulated(config: dict[str, Any], camera: dict[str, Any], **settings: Any) -> Tensor:
    """Image of empty ice with the noise of the camera."""
    side = config["size"]
    made = difftem.simulate(
        None,
        copies_count=0,
        size=(side, side),
        ice_thickness_nm=config["thickness_nm"],
        **camera["settings"],
        **settings,
    )
    return made.micrographs[0]


def measure(config: dict[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """Spectra and ring of every camera: real, simulated with the ice moving, frozen and even."""
    found: dict[str, dict[str, Any]] = {}
    for name, camera in tqdm(config["cameras"].items(), desc="cameras"):
        images = {
            "real": torch.from_numpy(read_mrc(folder / camera["file"]).data.astype("float32")),
            "simulated": simulated(config, camera, ice_structure=True),
            "frozen": simulated(config, camera, ice_structure=True, motion=0.0),
            "even ice": simulated(config, camera),
        }
        found[name] = {}
        for kind, image in images.items():
            spectrum = radial_spectrum(
                image.squeeze(), camera["settings"]["pixel_size"], config["block"]
            )
            excess, level = ring_excess(spectrum, config["ring"], config["beside"])
            found[name][kind] = {
                "frequency": spectrum.frequency.round(5).tolist(),
                "power": [float(f"{value:.5g}") for value in spectrum.power],
                "excess": excess,
                "level": level,
                "crop": image.squeeze()[: config["block"], : config["block"]],
            }
    return found


def table(config: dict[str, Any], found: dict[str, dict[str, Any]]) -> str:
    """Ring of every camera and image."""
    rows = []
    for camera, kinds in found.items():
        real = kinds["real"]["excess"]
        for kind, each in kinds.items():
            rows.append(
                (
                    camera,
                    kind,
                    f"{each['level']:.4f}",
                    f"{each['excess']:.5f}",
                    f"{100 * each['excess'] / each['level']:.1f} %",
                    f"{each['excess'] / real:.2f}",
                )
            )
    thick = config["thickness_nm"]
    columns = ["camera", "image", "level, Å²", "ring above it, Å²", "of the level", "over real"]
    implied = [
        f"{name}: {thick * kinds['real']['excess'] / kinds['simulated']['excess']:.0f} nm"
        for name, kinds in found.items()
    ]
    return (
        f"{markdown_table(columns, rows)}\n\n"
        f"Thickness of ice at which the simulated ring would be as strong as the real one: "
        f"{', '.join(implied)} (simulated: {thick:g} nm).\n\ndifftem {difftem.__version__}."
    )


def main() -> None:
    """Measure, draw, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/micrographs"))
    folder = parser.parse_args().data
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    found = measure(config, folder)
    draw(found, config, HERE / "results" / "spectra.png")
    for name, kinds in found.items():
        kept = {k: {n: v for n, v in each.items() if n != "crop"} for k, each in kinds.items()}
        save_results(HERE, name, kept)
    text = table(config, found)
    print(text)
    write_readme(HERE, "run.py", text)


if __name__ == "__main__":
    main()
