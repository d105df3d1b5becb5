import math
from pathlib import Path

import pytest

from difftem.simulation.settings import configured
from difftem.workflows.generate.nanoparticles import GenerateNanoparticlesConfig
from experiments.sbd.run import tables

HERE = Path(__file__).parents[2] / "experiments/sbd"


@pytest.mark.parametrize("path", sorted(HERE.glob("*.yaml")), ids=lambda path: path.name)
def test_a_recipe_is_one_that_the_command_takes(path):
    config = configured(GenerateNanoparticlesConfig, path, {}).nanoparticles
    assert config.imaging.field == 448


def test_the_training_set_has_a_thousand_images_of_250_models_and_more():
    config = configured(GenerateNanoparticlesConfig, HERE / "training.yaml", {}).nanoparticles
    assert config.n_models >= 250
    assert config.n_models * config.imaging.n_defocus >= 1000


def test_tables_tell_every_number():
    found = tables(
        {
            "cost": {"images": 8, "seconds": 4.0, "images_per_second": 5.0, "peak_gb": 0.5},
            "set": {"images": 8, "contrasts": {"white": 8}, "psnr": 25.25},
            "exactness": [
                {"defocus_nm": -6.0, "sampling": 0.0015, "nodes": 0.0002, "vacuum": 0.001}
            ],
        }
    )
    assert "8 images in 4 CPU seconds, 5.0 a second beyond the start; peak 0.50 GB." in found
    assert "8 images (8 white); of held-out images the nearest" in found
    assert math.isclose(float(found.split("PSNR of ")[1].split(" dB")[0]), 25.2, abs_tol=0.06)
    assert "| -6 nm" in found
    assert "0.15 %" in found
