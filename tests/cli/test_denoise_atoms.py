"""`difftem denoise` at atomic resolution, with the weights of the package."""

from dataclasses import replace

import numpy as np
import pytest

from difftem.cli.main import main
from difftem.io.mrc import read_mrc, write_mrc
from difftem.simulation.nanoparticles.item import image_model
from difftem.workflows.denoise.load_network import SHIPPED, load_network
from tests.helpers.nanoparticle_set import IMAGING, MODELS, SMALL_SET

SIZE = 0.11  # Å
IMAGES = replace(
    IMAGING, size=160, pixel_size=SIZE, margin=1.1, n_defocus=1, defocus_um=(-0.006, -0.006)
)


@pytest.fixture(scope="module")
def clean():
    """Intensity of a particle on its oxide, 1 in vacuum."""
    models = replace(MODELS, thickness=(36.0, 44.0))
    return image_model(replace(SMALL_SET, models=models, imaging=IMAGES), 1).images[0].numpy()


def denoised(folder, image, electrons, *more):
    """Grey values of a noisy image after the command."""
    rate = electrons * (SIZE / 0.0623) ** 2 * image
    counts = np.random.default_rng(0).poisson(rate).astype(np.float32)
    write_mrc(folder / "in.mrc", counts, SIZE, overwrite=True)
    words = "denoise", folder / "in.mrc", "--output", folder / "out.mrc", "--overwrite", *more
    assert main([*map(str, words)]) == 0
    return read_mrc(folder / "out.mrc").data.squeeze(), rate


def test_fine_pixels_get_the_weights_for_atoms_resampled_and_said(clean, tmp_path, capsys):
    errors = {}
    for name, more in (("atoms", ()), ("wiener", ("--method", "wiener"))):
        found, rate = denoised(tmp_path, clean, 0.45, *more)
        assert found.shape == clean.shape
        errors[name] = float(((found - rate) ** 2).mean() / rate.var())
        said = capsys.readouterr().err
        assert ("pixels below 0.2 Å: weights atoms" in said) == (name == "atoms")
        assert ("resampled from 0.11 to 0.0623 Å/pixel" in said) == (name == "atoms")
        assert "electrons per pixel of 0.0623" not in said
    assert errors["atoms"] < 0.75 * errors["wiener"] < 0.75


def test_ten_times_the_dose_of_training_is_said_and_no_worse_than_a_filter(clean, tmp_path, capsys):
    errors = []
    for more in ((), ("--method", "wiener")):
        found, rate = denoised(tmp_path, clean, 4.5, *more)
        errors.append(float(((found - rate) ** 2).mean()))
        said = capsys.readouterr().err
        assert ("times more than any that weights atoms were trained on" in said) == (not more)
    assert errors[0] < errors[1]


def test_the_shipped_weights_are_small_and_name_what_they_are_for():
    files = [*SHIPPED.glob("atoms*")]
    assert 0 < sum(each.stat().st_size for each in files) < 3e6
    domain = load_network("atoms").account["domain"]
    assert domain == {"pixel_size_angstrom": pytest.approx(0.0623), "electrons": [0.35, 0.55]}
