import pytest
import torch

from difftem.modules import ParticleSpecimen, StructuredIce
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.limits import check_common
from difftem.simulation.microscope import build_ice
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.settings import configured
from difftem.simulation.simulate_config import SimulateConfig
from difftem.simulation.structured_ice import in_structured_ice
from difftem.workflows.simulate import simulate

FAST = {"size": (96, 96), "pixel_size": 1.0, "ice_thickness_nm": 20.0, "preset": "ideal"}


def images(pdb, **settings):
    return simulate(pdb, **FAST, defocus_um=0.5, **settings).noise_free.squeeze()


def test_ice_is_even_unless_it_is_asked_for():
    vacuum = ParticleSpecimen({}, [], (16, 16), 1.0, 10.0)
    for config in (IceConfig(), IceConfig(present=False)):
        ice = build_ice(config, 20.0, 1.0)
        assert in_structured_ice(vacuum, ice, config, 30.0, 0) is vacuum
    config = IceConfig(structure=True, motion=0.5, density_g_per_cm3=1.0)
    made = in_structured_ice(vacuum, build_ice(config, 20.0, 1.0), config, 30.0, 7)
    assert isinstance(made, StructuredIce)
    assert (made.exposure, made.motion, made.seed) == (30.0, 0.5, 7)
    assert float(made.density_g_per_cm3) == 1.0


def test_an_empty_field_of_ice_has_the_contrast_of_its_molecules(pdb):
    flat = images(None, copies_count=0)
    grainy, again = (images(None, copies_count=0, ice_structure=True) for _ in range(2))
    frozen = images(None, copies_count=0, ice_structure=True, motion=0.0)
    other = images(None, copies_count=0, ice_structure=True, seed=1)
    assert float(flat.std() / flat.mean()) < 1e-4
    assert 0.02 < float(grainy.std() / grainy.mean()) < float(frozen.std() / frozen.mean()) < 0.4
    assert float(grainy.mean() / flat.mean()) == pytest.approx(1.0, abs=0.01)
    assert torch.equal(grainy, again)
    assert abs(float(torch.corrcoef(torch.stack([grainy, other]).flatten(1))[0, 1])) < 0.05


def test_scenes_have_ice_that_their_particles_displace(microscope, blob):
    even = IceConfig(thickness_nm=30.0)
    grainy = IceConfig(thickness_nm=30.0, structure=True)
    made = [microscope(blob(count=2), ice=ice) for ice in (even, grainy, grainy)]
    flat, first, again = (each.take(0).noise_free for each in made)
    assert float(first.std() / first.mean()) > 3 * float(flat.std() / flat.mean())
    assert torch.equal(first, again)
    assert not torch.equal(first, made[1].take(1).noise_free)
    assert not made[0].displaced
    # 40 atoms of carbon and oxygen, 13 Å³ each, in a sphere of 10 Å.
    room = made[1].displaced["blob"]
    volume = float(room.volume.sum()) * room.voxel_size**3
    assert 20 * 13 < volume < 4 / 3 * torch.pi * 14**3


@pytest.mark.parametrize("kind", [SimulateConfig, SceneConfig])
def test_what_does_not_apply_is_refused(kind):
    for settings, message in (
        ({"ice_structure": True, "ice_present": False}, "ice.structure does not apply without ice"),
        ({"ice_motion": 2.0}, "ice.motion applies with ice.structure only"),
        ({"ice_structure": True, "motion": -1.0}, "ice.motion must not be negative, got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            check_common(configured(kind, None, settings))


def test_the_name_of_a_section_does_not_stand_for_a_switch():
    with pytest.raises(ValueError, match="unknown setting 'structure'"):
        configured(SimulateConfig, None, {"structure": "1abc.pdb"})
