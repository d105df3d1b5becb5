import pytest

from difftem.constants.displaced_volume import DISPLACED_VOLUME
from difftem.io.structure import read_structure
from difftem.scene.matter import PROTEIN_RESIDUE
from difftem.simulation.config import MicroscopeConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.limits import check_common
from difftem.simulation.microscope import amplitude_contrast, build_ice
from difftem.simulation.scene_config import ParticleConfig, SceneConfig, SceneSamplingConfig
from difftem.simulation.settings import configured
from difftem.simulation.simulate_config import SimulateConfig
from difftem.simulation.templates import make_template
from difftem.workflows.simulate import simulate as simulate_atoms


@pytest.mark.parametrize(("kv", "expected"), [(100.0, 0.0992), (200.0, 0.0782), (300.0, 0.07)])
def test_amplitude_contrast_follows_the_voltage_unless_it_is_given(kv, expected):
    assert amplitude_contrast(MicroscopeConfig(kv)) == pytest.approx(expected, abs=1e-4)
    assert amplitude_contrast(MicroscopeConfig(kv, amplitude_contrast=0.1)) == 0.1
    assert amplitude_contrast(MicroscopeConfig(kv), in_ice=False) == 0.0


@pytest.mark.parametrize("hole", [None, 1000.0])
def test_a_mean_free_path_that_is_given_is_kept_at_every_voltage(hole):
    config = IceConfig(mean_free_path_nm=200.0, hole_diameter_nm=hole)
    assert float(build_ice(config, 50.0, 2.0).mean_free_path_nm) == 200.0


def test_protein_contrast_is_eleven_percent_higher_than_in_ice_of_one_gram_per_cm3():
    ratio = PROTEIN_RESIDUE.contrast() / PROTEIN_RESIDUE.contrast(1.0)
    assert ratio == pytest.approx(1.11, abs=0.01)


def test_ice_at_100_kv_is_as_bright_as_its_path_says(pdb):
    result = simulate_atoms(
        pdb, size=(64, 64), pixel_size=2.0, voltage_kv=100.0, ice_thickness_nm=60.0, preset="ideal"
    )
    mean = result.noise_free.mean().item() / (30 * 4)
    assert mean == pytest.approx(0.6695, abs=0.003)  # exp(-60 / 149.5); at 300 nm it was 0.82


def test_a_template_follows_the_density_of_the_ice_and_is_kept_apart(pdb, tmp_path):
    volume = sum(DISPLACED_VOLUME[z] * occupancy for z, occupancy in zip(*_atoms(pdb), strict=True))
    sums = []
    for density in (0.93, 1.0, 0.93):
        config = SceneConfig(
            [ParticleConfig(name="a", source=str(pdb), count=1)],
            IceConfig(density_g_per_cm3=density),
            SceneSamplingConfig(pixel_size=2.0),
            MicroscopeConfig(amplitude_contrast=0.0),
            cache=str(tmp_path / "cache"),
        )
        template = make_template(config.particles[0], config)
        sums.append(float(template.values.double().sum()) * template.voxel_size**3)
    assert sums[0] == sums[2]
    # 47.878 V Å² x 0.07 g/cm³ x 6.022e23 / 18.015 g x (1.983 + 2 x 0.529) Å more is displaced.
    step = 47.878 * 0.07 * 0.60221 / 18.015 * 3.041
    assert sums[0] - sums[1] == pytest.approx(step * volume, rel=2e-3)
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 2


def _atoms(path):
    atoms = read_structure(path, hydrogens="implicit")
    return atoms.atomic_numbers.tolist(), atoms.occupancies.tolist()


@pytest.mark.parametrize("kind", [SimulateConfig, SceneConfig])
def test_an_impossible_density_is_refused(kind):
    for value, message in ((0.0, "must be positive"), (930.0, "must be at most 3 g/cm³, got 930")):
        with pytest.raises(ValueError, match=rf"ice\.density_g_per_cm3 {message}"):
            check_common(configured(kind, None, {"density_g_per_cm3": value}))
