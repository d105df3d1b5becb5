"""Padding: what wraps around must stay outside the micrograph."""

import pytest
import torch

from difftem.simulation.config import MicroscopeConfig, SamplingConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.sampling import choose_field
from difftem.simulation.scene_config import ParticleConfig, PhantomConfig, SceneSamplingConfig

SIZE, PIXEL, DEFOCUS = 96, 2.0, 2.0
BORDER = 8  # pixels


@pytest.fixture
def image(microscope, tmp_path):
    """Make a noise-free image of particles at the border with a padding."""
    places = tmp_path / "places.csv"
    places.write_text("x,y,z,phi,theta,psi\n90,30,0,0,0,0\n-85,-50,0,0,0,0\n20,88,0,0,0,0\n")
    particle = ParticleConfig(
        name="rough",
        source="phantom",
        coordinates=str(places),
        phantom=PhantomConfig(size_nm=(4.0, 4.0, 4.0), smoothness=0.0, positive=False),
    )

    def make(padding):
        sampling = SceneSamplingConfig(size=(SIZE, SIZE), pixel_size=PIXEL, padding=padding)
        made = microscope(
            particle,
            ice=IceConfig(thickness_nm=20.0),
            sampling=sampling,
            microscope=MicroscopeConfig(defocus_um=DEFOCUS),
        )
        return made.take(0).noise_free[0].double(), made.lines

    return make


def test_what_wraps_around_is_below_a_hundredth_of_the_contrast_at_the_border(image):
    """Rms difference to a field padded by one and a half of its side, over the contrast's own."""
    truth, _ = image(3 * SIZE // 2)
    edge = torch.ones_like(truth, dtype=torch.bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False

    def error(padding):
        made, lines = image(padding)
        wraps = any("fringes wrap around" in line for line in lines)
        return float((made - truth)[edge].square().mean().sqrt() / truth.std()), wraps

    default, warned = error(None)
    assert default < 0.01
    assert not warned
    narrow, warned = error(SIZE // 8)
    assert narrow > 0.05
    assert warned


def test_the_default_reaches_as_far_as_detail_is_moved():
    sampling, lens = SamplingConfig(size=(512, 512)), MicroscopeConfig(defocus_um=3.0)
    wavelength = 0.0196875
    moved = 3e4 * wavelength / 2 - 2.7e7 * (wavelength / 2) ** 3
    field = choose_field(sampling, lens)
    assert field.delocalisation == pytest.approx(moved, rel=1e-3)
    assert (field.shape[0] - 512) // 2 >= moved
    tilted = MicroscopeConfig(defocus_um=3.0, beam_tilt_mrad=(0.6, 0.8))
    assert choose_field(sampling, tilted).delocalisation == pytest.approx(moved + 30, rel=1e-3)
    astigmatic = MicroscopeConfig(defocus_um=3.0, astigmatism_um=0.5)
    more = choose_field(sampling, astigmatic).delocalisation
    assert more == pytest.approx(moved + 5e3 * wavelength / 2, rel=1e-3)


@pytest.mark.parametrize("command", ["simulate", "generate"])
def test_an_absurd_padding_is_refused_before_any_work(command, capsys, tmp_path):
    from difftem.cli.main import main

    output = ["--output", str(tmp_path / "out")]
    for value in ("1000000000000", "100001", "-1"):
        assert main([command, f"--sampling.padding={value}", *output]) == 2
        error = capsys.readouterr().err
        assert "sampling.padding must" in error and "got" in error
