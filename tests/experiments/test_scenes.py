from pathlib import Path

import pytest

from difftem.cli.parsing import parse
from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.workflows.generate.config import GenerateConfig
from experiments.scenes import pictures

FOLDER = Path(pictures.__file__).parent
SMALL = ["--sampling.size", "[160, 160]", "--sampling.pixel_size", "8"]


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_every_scene_gives_a_micrograph(name, shared_data, tmp_path):
    arguments = [str(FOLDER / f"{name}.yaml"), "--output", "unused", *SMALL]
    arguments += ["--cache", str(tmp_path), "--exposure.dose_e_per_a2", "10"]
    if name == "tilt_series":
        few = '[{"name": "apoferritin", "source": "apoferritin", "count": 4}]'
        arguments += ["--particles", few, "--exposure.tilts_deg", "[-20, 20]"]
    if name == "sars_cov_2":
        virion = '[{"name": "v", "source": "sars-cov-2", "parts": "6vxx.pdb.gz", "count": 1}]'
        arguments += ["--particles", virion]
    config, _ = parse("difftem generate", "", GenerateConfig, arguments)
    microscope = SceneMicroscope(config, [shared_data / "structures"], lambda text: None)
    item = microscope.take(0)
    assert item.noise_free.shape[-2:] == (160, 160)
    # Particles are dark on bright ice at underfocus.
    deviation = item.noise_free / item.noise_free.median() - 1
    assert float(deviation.min()) < -0.01
    assert -float(deviation.min()) > float(deviation.max())


def test_the_strip_of_tilts_is_drawn(tmp_path):
    config, _ = parse(
        "difftem generate",
        "",
        GenerateConfig,
        [
            *("--output", "unused", "--cache", str(tmp_path), *SMALL),
            *("--particles", '[{"name": "a", "source": "apoferritin", "count": 3}]'),
            *("--exposure.tilts_deg", "[-20, 0, 20]"),
        ],
    )
    item = SceneMicroscope(config, [], lambda text: None).take(0)
    pictures.strip(tmp_path / "strip.png", item, config.exposure.tilts_deg)
    assert (tmp_path / "strip.png").stat().st_size > 10_000
