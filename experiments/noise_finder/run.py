"""Find the noise of cameras: ``python -m experiments.noise_finder.run [MICROGRAPHS CURVES]``."""

import argparse
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import torch
import yaml

from difftem.micrograph.bad_pixels import find_bad_pixels, replace_bad_pixels
from difftem.micrograph.camera_noise import find_camera_noise
from difftem.micrograph.told_noise import noise_transfer
from experiments._base.results import markdown_table, save_results, write_readme
from experiments.noise_finder.cameras import DrawnCamera, draw_cameras, image

HERE = Path(__file__).parent


def measure(camera: DrawnCamera, config: dict[str, Any], generator: torch.Generator) -> dict:
    """Compare what is found in one image with what is true."""
    noise = find_camera_noise(image(camera, config, generator))
    low, high = config["measured"]
    inside = (noise.frequency > low) & (noise.frequency < high)
    ratio = noise.amplitude.square() / camera.power(noise.frequency)
    return {
        "camera": camera.name,
        "electrons": camera.electrons,
        "gain": camera.gain,
        "found_electrons": noise.electrons,
        "found_gain": noise.gain,
        "gain_error": noise.gain_error,
        "white": noise.white,
        "source": noise.source,
        "level_off": float(ratio[inside].mean()) - 1,
    }


def measure_real(entry: dict[str, Any], micrographs: Path, curves: Path) -> list[dict]:
    """Find the noise of a real micrograph, without and with a curve."""
    with mrcfile.open(micrographs / entry["micrograph"], permissive=True) as file:
        values = torch.from_numpy(file.data.astype(np.float32))
    exposure = replace_bad_pixels(values, find_bad_pixels(values))[None]
    results = []
    for name in [None, *entry["detectors"]]:
        path = curves / name if name and name.endswith(".star") else name
        noise = find_camera_noise(
            exposure,
            ntf=None if path is None else noise_transfer(path),
            dose_e_per_pixel=entry["dose"],
            pixel_size=entry["pixel_size"],
        )
        told = {"told": name or "nothing", "sentence": noise.sentence(), "dose": entry["dose"]}
        results.append(told | {"notes": noise.notes, "warnings": noise.warnings})
    return results


def table(simulated: list[dict], real: dict[str, list[dict]]) -> str:
    """Format both."""
    rows = []
    for each in simulated:
        off = (each["found_gain"] - each["gain"]) / each["gain"]
        sigmas = (
            "counts"
            if each["gain_error"] == 0
            else f"{off * each['gain'] / each['gain_error']:+.1f}"
        )
        error = f"{100 * each['gain_error'] / each['gain']:.1f}"
        rows.append(
            [
                each["camera"],
                f"{each['electrons']:.3g}",
                "white" if each["white"] else "coloured",
                f"{100 * each['level_off']:+.1f}",
                f"{100 * off:+.1f}",
                error,
                sigmas,
            ]
        )
    columns = ["camera", "e/pixel", "found", "level off, %", "gain off, %", "its error, %", "σ"]
    right = sum((each["camera"] == "white") == each["white"] for each in simulated)
    within = sum(abs(each["level_off"]) < 0.02 for each in simulated)
    lines = [
        markdown_table(columns, rows),
        "",
        f"White or coloured told right: {right} of {len(simulated)}; level within 2 %: {within}.",
    ]
    for name, found in real.items():
        lines += ["", f"{name} ({found[0]['dose']:g} e/pixel reached it):", ""]
        for each in found:
            lines.append(f"- told {each['told']}: {each['sentence']}")
            lines += [f"    - warning: {text}" for text in each["warnings"]]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("micrographs", type=Path, nargs="?", help="folder of the MRC files")
    parser.add_argument("curves", type=Path, nargs="?", help="folder of the STAR files")
    arguments = parser.parse_args()
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    generator = torch.Generator().manual_seed(config["seed"])
    simulated = [measure(c, config, generator) for c in draw_cameras(config, generator)]
    real = {}
    if arguments.micrographs is not None and arguments.curves is not None:
        for name, entry in config["real"].items():
            real[name] = measure_real(entry, arguments.micrographs, arguments.curves)
    text = table(simulated, real)
    print(text)
    save_results(HERE, "table", {"simulated": simulated, "real": real})
    write_readme(HERE, "run.py", text)


if __name__ == "__main__":
    main()
