import math

import pytest
import torch

from difftem.functional.particle_map import particle_map
from difftem.functional.solvent import ICE_MOLECULES_PER_A3, ice_molecules_per_a3
from difftem.modules import Beam, Potential
from difftem.scene.templates.render import absorbing, render_template
from tests.helpers.specimen import random_atoms, relative_rms

VOXEL = 2.0


@pytest.fixture
def atoms():
    return random_atoms(60, (30.0, 24.0, 20.0), (6, 7, 8), (40.0, 60.0)).centered()


def projected(atoms, n, solvated):
    """Projection of the atoms themselves in a field that holds a template of n voxels."""
    made = Potential(
        atoms, (n, n), VOXEL, 1, n * VOXEL, solvated=solvated, band_limit=0.8, taper=0.1
    )
    with torch.no_grad():
        return made()[0].real


@pytest.mark.parametrize("solvent", ["displaced", "none"])
def test_a_template_summed_along_the_beam_is_the_projected_potential(atoms, solvent):
    template = render_template(atoms, VOXEL, solvent=solvent)
    n = template.values.shape[0]
    assert template.values.shape == (n, n, n)
    assert not template.values.is_complex()
    truth = projected(atoms, n, solvent == "displaced")
    assert relative_rms(template.values.sum(0) * VOXEL, truth) < 1e-3


def test_a_template_has_the_atoms_own_axes(atoms):
    """A heavy atom off the centre shows up where its x, y and z say."""
    positions = torch.tensor([[12.0, -6.0, 4.0], [-12.0, 6.0, -4.0]], dtype=atoms.positions.dtype)
    pair = random_atoms(2, (1.0, 1.0, 1.0), (6,), (60.0, 60.0))
    pair.positions[:] = positions
    pair.occupancies[1] = 1e-6
    values = render_template(pair, VOXEL, solvent="none").values
    z, y, x = torch.unravel_index(values.argmax(), values.shape)
    middle = values.shape[0] // 2
    assert [int(i) - middle for i in (x, y, z)] == [6, -3, 2]


def test_the_radius_holds_the_particle_and_the_box_holds_the_radius(atoms):
    template = render_template(atoms, VOXEL)
    n = template.values.shape[0]
    axis = (torch.arange(n) - n // 2) * VOXEL
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    beyond = torch.sqrt(x**2 + y**2 + z**2) > template.radius
    assert template.radius > float(atoms.positions.norm(dim=-1).max())
    assert template.radius < axis[-1]
    power = template.values.double() ** 2
    assert float(power[beyond].sum() / power.sum()) < 5e-3


def test_solvated_matter_is_weaker_than_in_vacuum(atoms):
    wet, dry = (render_template(atoms, VOXEL, solvent=each) for each in ("displaced", "none"))
    assert 0 < float(wet.values.sum()) < float(dry.values.sum())


def test_a_fraction_of_the_potential_absorbs(atoms):
    plain = render_template(atoms, VOXEL)
    made = render_template(atoms, VOXEL, amplitude_contrast=0.1)
    assert torch.allclose(made.values.imag, 0.1 * plain.values)
    assert torch.allclose(made.values.abs(), plain.values.abs(), rtol=1e-5, atol=1e-6)
    assert absorbing(plain.values, 0.0) is plain.values
    assert torch.allclose(made.values.real, math.sqrt(0.99) * plain.values)


def test_floor_is_tem_simulators_map_about_the_atoms_own_origin(atoms):
    moved = atoms.translated(torch.tensor([3.3, -1.7, 5.1], dtype=atoms.positions.dtype))
    energy = Beam(300.0).energy
    tem_simulators_ice = ICE_MOLECULES_PER_A3 / ice_molecules_per_a3(1.0)
    options = {"solvent": "floor", "energy": energy}
    template = render_template(moved, 0.8, ice_density_g_per_cm3=tem_simulators_ice, **options)
    plain = particle_map(moved, 0.8, energy)
    assert float(plain.values.real.max()) > 0.3  # voxels of 2 Å would leave nothing above the ice
    assert template.values.shape == plain.values.shape
    difference = template.values - plain.values.to(torch.complex64)
    assert float((difference - difference.mean()).abs().max()) < 1e-4
    # Thinner ice leaves more of the atoms.
    lighter = render_template(moved, 0.8, **options)
    assert float(lighter.values.real.sum()) > 1.02 * float(template.values.real.sum())
    # The point that is turned about is the atoms' origin: the map follows when they are moved.
    still = render_template(atoms, 0.8, **options)
    shift = [a - b for a, b in zip(template.center, still.center, strict=True)]
    assert shift == pytest.approx([-3.3, 1.7, -5.1], abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solvent": "floor"}, "needs the beam energy"),
        ({"solvent": "floor", "energy": 1, "table": "lobato"}, "the table peng only"),
        ({"amplitude_contrast": 1.0}, r"must be in \[0, 1\)"),
    ],
)
def test_options_that_do_not_fit_are_refused(atoms, options, message):
    with pytest.raises(ValueError, match=message):
        render_template(atoms, VOXEL, **options)
