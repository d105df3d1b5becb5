"""Make the README's pictures of scenes: ``python -m experiments.scenes.pictures --help``."""

import argparse
from pathlib import Path

import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from difftem.pictures import draw_array
from difftem.simulation.preview import draw_preview, save_figure
from difftem.simulation.scene_microscope import SceneMicrograph, SceneMicroscope
from difftem.simulation.settings import configured
from difftem.workflows.generate.config import GenerateConfig

HERE = Path(__file__).parent
IMAGES = HERE.parents[1] / "docs" / "images"


def take(name: str, structures: Path) -> tuple[SceneMicrograph, GenerateConfig]:
    """Take the first micrograph of a configuration of this folder."""
    config = configured(GenerateConfig, HERE / f"{name}.yaml", {}, [structures])
    return SceneMicroscope(config).take(0), config


def strip(path: Path, item: SceneMicrograph, tilts: list[float]) -> None:
    """Draw the noise-free tilts above the noisy ones."""
    figure = Figure(figsize=(3 * len(tilts), 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(tilts), squeeze=False)
    for row, images in zip(axes, (item.noise_free, item.micrographs), strict=True):
        for panel, image, tilt in zip(row, images, tilts, strict=True):
            draw_array(panel, image)
            panel.set_title(f"{tilt:g}°")
            panel.set_axis_off()
    figure.savefig(path, dpi=80, metadata={"Software": None})


def main() -> None:
    """Write ``docs/images/scene_*.png``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--structures", type=Path, required=True, help="folder with 5ire.pdb.gz and 6vxx.pdb.gz"
    )
    structures = parser.parse_args().structures.resolve()
    for name in ("zika", "sars_cov_2"):
        item, config = take(name, structures)
        counts = ", ".join(f"{n} {particle}" for particle, n in item.scene.counts().items())
        title = (
            f"{counts}, {item.conditions.ice_thickness_nm:g} nm of ice, "
            f"{item.conditions.defocus_um:g} µm, {item.conditions.dose_e_per_a2:g} e/Å²"
        )
        figure = draw_preview(
            item.noise_free[0], item.micrographs[0], config.sampling.pixel_size, title
        )
        save_figure(figure, IMAGES / f"scene_{name}.png")
    series = yaml.safe_load((HERE / "tilt_series.yaml").read_text("utf-8"))
    item, _ = take("tilt_series", structures)
    strip(IMAGES / "scene_tilt_series.png", item, series["exposure"]["tilts_deg"])


if __name__ == "__main__":
    main()
