"""Render a virion of the experiment's first scene, from noisy and from denoised images.

``python -m experiments.tomography.virions --output docs/images/virions.png``
"""

import argparse
from pathlib import Path

import difftem
from difftem.workflows.reconstruct.volume_file import write_volume
from experiments.tomography.run import read_config
from experiments.tomography.scene import true_series
from experiments.tomography.stacks import NOISY, contrast, reconstructed, series_methods

TITLES = {NOISY: "noisy tilt series", "sbd": "tilt series denoised first"}
ITERATIONS = 12
CROP = (94, 4, 0, 136, 136, 168)  # x, y, z, and sides in voxels: one virion


def volume(method: str, structures: Path, runs: Path) -> Path:
    """Reconstruct the scene from images as a method leaves them; read it where that was done."""
    path = runs / f"virions_{method}.mrc"
    if not path.is_file():
        config = read_config()
        scene = config["scenes"]["virions"]
        series = true_series(scene, config, 0, structures, runs)
        (denoiser,) = series_methods([method])
        images = contrast(denoiser, series, runs)
        found = reconstructed(images, series, scene["thickness"], "sirt", ITERATIONS, config)
        write_volume(path, found, series.pixel_size, "imod")
    return path


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--structures", type=Path, default=Path("../shared/data/structures"))
    parser.add_argument("--runs", type=Path, default=Path("runs/tomography"))
    options = parser.parse_args()
    found = difftem.render(
        [volume(method, options.structures, options.runs) for method in TITLES],
        titles=list(TITLES.values()),
        crop=CROP,
        smooth=1.0,
        azimuth_deg=10.0,
        elevation_deg=10.0,
        size=440,
    )
    found.save(options.output, overwrite=True)
    print(found.summary)


if __name__ == "__main__":
    main()
