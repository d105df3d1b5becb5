"""Cost and exactness of sets of images of nanoparticles, as tables for the README.

``python -m experiments.sbd.run runs/sbd_set``
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from difftem.data.near_duplicates import nearest_pair
from difftem.io.tiff import read_tiff
from difftem.pictures import draw_array
from difftem.scene.nanoparticle.nanoparticle import draw_nanoparticle
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging
from difftem.simulation.nanoparticles.item import model_seed, take_images
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from experiments._base.results import markdown_table, save_results, write_readme

HERE = Path(__file__).parent
PUBLISHED = HERE.parents[2] / "shared/data/nanoparticles/ptceo2_clean.tif"
PUBLISHED_VACUUM = 0.45
MODELS = 32  # whose images are timed
FEW = 2  # models of a run that takes little beside the program's start
MODEL, DEFOCI_UM, BLUR = 5, [-0.02, -0.006, 0.0], 0.5  # whose exactness is measured
SHOWN = 7  # images beside the published one
BESIDE = Path("runs/sbd/beside.png")  # no licence lets the published image be given away


def cost(n_models: int) -> dict[str, float]:
    """Make the first models of the training set in a fresh process of one thread.

    Parameters
    ----------
    n_models : int
        How many.

    Returns
    -------
    dict of str to float
        Images, CPU seconds of all of it, images a second beyond the program's start, and peak
        memory in GB.
    """
    n, seconds = zip(*map(_timed, (FEW, n_models)), strict=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    rate = (n[1] - n[0]) / (seconds[1] - seconds[0])
    return {"images": n[1], "seconds": seconds[1], "images_per_second": rate, "peak_gb": peak}


def _timed(n_models: int) -> tuple[int, float]:
    """Images of a set, and CPU seconds that it takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        recipe = [str(HERE / "training.yaml"), "--nanoparticles.n_models", str(n_models)]
        command = [sys.executable, "-m", "difftem", "generate", *recipe, "--output", folder]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        n_images = len(NanoparticleSet(folder))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return n_images, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def exactness(imaging: NanoparticleImaging) -> list[dict[str, float]]:
    """Compare images of one model with finer ones.

    Parameters
    ----------
    imaging : NanoparticleImaging
        Of the set.

    Returns
    -------
    list of dict
        Defocus in nm, errors, vacuum.
    """
    config = NanoparticleSetConfig()
    model = draw_nanoparticle(config.models, model_seed(config, MODEL))
    half = replace(
        imaging,
        size=2 * imaging.size,
        pixel_size=imaging.pixel_size / 2,
        slice_thickness=imaging.slice_thickness / 2,
    )
    nodes = replace(imaging, focus_nodes=25, source_nodes=4)
    blurs = [BLUR] * len(DEFOCI_UM)
    ours, fine, summed = (
        take_images(model, each, DEFOCI_UM, blurs)[0] for each in (imaging, half, nodes)
    )
    return [
        {
            "defocus_nm": 1e3 * DEFOCI_UM[i],
            "sampling": _error(ours[i], fine[i, ::2, ::2]),
            "nodes": _error(ours[i], summed[i]),
            "vacuum": float(ours[i, :16].mean() - 1),
        }
        for i in range(len(DEFOCI_UM))
    ]


def _error(image: Tensor, exact: Tensor) -> float:
    """Relative error of contrast."""
    return float((image - exact).square().mean().sqrt() / (exact - 1).square().mean().sqrt())


def nearest(images: NanoparticleSet) -> dict[str, Any]:
    """Count a set's images, and find how near held-out ones come to training."""
    held_out = images.split("validation") + images.split("test")
    pair = nearest_pair(lambda i: images.image(i) - 1, images.split("train"), held_out)
    contrasts = Counter(str(row["contrast"]) for row in images.rows)
    return {"images": len(images), "contrasts": dict(contrasts), "psnr": pair.psnr}


def draw(images: NanoparticleSet, path: Path) -> None:
    """Draw the published image beside images of a set at its defocus, on one scale of grey."""
    near = sorted(
        range(len(images)), key=lambda i: abs(float(images.rows[i]["defocus_um"]) + 0.006)
    )
    figure = Figure(figsize=(14, 7.2), layout="constrained")
    panels = figure.subplots(2, 4).flatten()
    published = torch.from_numpy(read_tiff(PUBLISHED).data[0]).float() / PUBLISHED_VACUUM
    shown = [("published (SBD)", published)]
    shown += [(f"image {i}", images.image(i)) for i in sorted(near[:SHOWN])]
    for axes, (title, image) in zip(panels, shown, strict=True):
        draw_array(axes, image, (0.7, 1.4))
        axes.set_title(title, fontsize=10)
        axes.axis("off")
    figure.savefig(path, dpi=70)


def tables(results: dict[str, Any]) -> str:
    """Write what was found in Markdown."""
    made, found = results["cost"], results["set"]
    contrasts = ", ".join(f"{n} {name}" for name, n in found["contrasts"].items())
    rows = [
        [
            f"{row['defocus_nm']:g} nm",
            *(f"{100 * row[name]:.2f} %" for name in ("sampling", "nodes")),
            f"{row['vacuum']:.1e}",
        ]
        for row in results["exactness"]
    ]
    cost_line = (
        f"{made['images']} images in {made['seconds']:.0f} CPU seconds, "
        f"{made['images_per_second']:.1f} a second beyond the start; peak {made['peak_gb']:.2f} GB."
    )
    set_line = (
        f"The set: {found['images']} images ({contrasts}); of held-out images the nearest to one "
        f"of training has a PSNR of {found['psnr']:.1f} dB."
    )
    columns = ("defocus", "half the pixels and slices", "more nodes", "vacuum")
    return "\n\n".join([cost_line, set_line, markdown_table(columns, rows)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="set that training.yaml made")
    parser.add_argument("--models", type=int, default=MODELS, help="models that are timed")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    images = NanoparticleSet(chosen.folder)
    results = {
        "cost": cost(chosen.models),
        "exactness": exactness(images.config.imaging),
        "set": nearest(images),
    }
    save_results(HERE, "images", results)
    if PUBLISHED.is_file():
        BESIDE.parent.mkdir(parents=True, exist_ok=True)
        draw(images, BESIDE)
    write_readme(HERE, "run.py", tables(results))


if __name__ == "__main__":
    main()
