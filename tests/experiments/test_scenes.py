from pathlib import Path

import pytest

from difftem.simulation.scene_microscope import SceneMicroscope
from difftem.simulation.settings import configured
from difftem.workflows.generate.config import GenerateConfig
from experiments.scenes import pictures

FOLDER = Path(pictures.__file__).parent
SMALL = {"size": (160, 160), "pixel_size": 8.0}


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_every_scene_gives_a_micrograph(name, shared_data, tmp_path):
    settings = {**SMALL, "cache": tmp_path, "exposure_dose_e_per_a2": 10.0}
    if name == "tilt_series":
        few = {"name": "apoferritin", "source": "apoferritin", "count": 4}
        settings |= {"particles": [few], "tilts_deg": [-20, 20]}
    if name == "sars_cov_2":
        virion = {"name": "v", "source": "sars-cov-2", "parts": "6vxx.pdb.gz", "count": 1}
        settings |= {"particles": [virion], "size": (112, 112), "pixel_size": 12.0}
    structures = shared_data / "structures"
    config = configured(GenerateConfig, FOLDER / f"{name}.yaml", settings, [structures])
    microscope = SceneMicroscope(config)
    item = microscope.take(0)
    assert item.noise_free.shape[-2:] == settings["size"]
    # Particles are dark on bright ice at underfocus.
    deviation = item.noise_free / item.noise_free.median() - 1
    assert float(deviation.min()) < -0.01
    assert -float(deviation.min()) > float(deviation.max())


def test_the_strip_of_tilts_is_drawn(tmp_path):
    particles = [{"name": "a", "source": "apoferritin", "count": 3}]
    settings = {"particles": particles, "tilts_deg": [-20, 0, 20], "cache": tmp_path, **SMALL}
    config = configured(GenerateConfig, None, settings)
    item = SceneMicroscope(config).take(0)
    pictures.strip(tmp_path / "strip.png", item, config.exposure.tilts_deg)
    assert (tmp_path / "strip.png").stat().st_size > 10_000
