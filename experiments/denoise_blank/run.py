"""Denoise images that show nothing: ``python -m experiments.denoise_blank.run``."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from scipy import ndimage
from torch import Tensor
from tqdm import tqdm

import difftem
from experiments._base.results import markdown_table, mean_and_sd, save_results, write_readme

HERE = Path(__file__).parent
BLANKS = ("vacuum", "ice")


def blank(what: str, camera: str, seed: int, config: dict[str, Any]) -> Tensor:  # (y, x)
    """Take an image of nothing, or of structured ice, with a camera."""
    electrons, pixel_size = config["cameras"][camera]
    settings: dict[str, Any] = {
        "size": (config["size"], config["size"]),
        "pixel_size": pixel_size,
        "dose_e_per_a2": electrons / pixel_size**2,
        "preset": camera,
        "seed": seed,
        "defocus_um": config["defocus_um"],
    }
    if what == "vacuum":
        return difftem.simulate("vacuum", **settings).micrographs[0]
    ice = {"ice_thickness_nm": config["ice_thickness_nm"], "ice_structure": True}
    return difftem.simulate(copies_count=0, **ice, **settings).micrographs[0]


def visible_specks(image: Tensor, deviations: float) -> int:
    """Regions that stand out of an image by so many of its own (robust) deviations."""
    values = (image - image.median()).numpy()
    deviation = 1.4826 * float(np.median(np.abs(values))) + 1e-12
    return int(ndimage.label(np.abs(values) > deviations * deviation)[1])


def measure(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Denoise every blank image by every method, with marks."""
    rows = []
    cases = [(c, w, s) for c in config["cameras"] for w in BLANKS for s in config["seeds"]]
    for camera, what, seed in tqdm(cases, disable=None):
        image = blank(what, camera, seed, config)
        for method in config["methods"]:
            result = difftem.denoise(
                image,
                method=method,
                pixel_size=config["cameras"][camera][1],
                mark=True,
                std=False,
                seed=seed,
            )
            area = image.numel() / 1e6
            rows.append(
                {
                    "camera": camera,
                    "blank": what,
                    "seed": seed,
                    "method": method,
                    "before": visible_specks(result.mean, config["visible"]) / area,
                    "after": int(result.numbers[0].noise["marked_regions"]) / area,
                }
            )
    return rows


def table(rows: list[dict[str, Any]], config: dict[str, Any]) -> str:
    """Format means over seeds, and over all."""
    lines = []
    for method in config["methods"]:
        for camera in [*config["cameras"], "all"]:
            for what in BLANKS:
                of = [
                    row
                    for row in rows
                    if row["method"] == method
                    and row["blank"] == what
                    and camera in ("all", row["camera"])
                ]
                before, after = ([row[key] for row in of] for key in ("before", "after"))
                lines.append([method, camera, what, mean_and_sd(before, 1), mean_and_sd(after, 2)])
    columns = ["method", "camera", "blank", "specks per Mpx", "marked per Mpx"]
    return markdown_table(columns, lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed; writes nothing")
    arguments = parser.parse_args()
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    torch.set_num_threads(1)
    if arguments.quick:
        config["seeds"] = config["seeds"][:1]
    rows = measure(config)
    text = table(rows, config)
    print(text)
    if not arguments.quick:
        save_results(HERE, "blank", {"config": config, "rows": rows})
        write_readme(HERE, "run.py", text)


if __name__ == "__main__":
    main()
