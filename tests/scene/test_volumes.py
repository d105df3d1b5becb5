import pytest
import torch

from difftem.functional.pose import random_rotations
from difftem.scene.poses import ParticlePoses, Scene
from difftem.scene.templates.template import Template
from difftem.scene.volumes import scene_volumes


def blobs(places, weights, n=25, voxel=2.0, width=5.0, center=(0.0, 0.0, 0.0)):
    """A map of Gaussians at places (x, y, z in Å) from its center."""
    axis = (torch.arange(n, dtype=torch.float64) - n // 2) * voxel
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    total = torch.zeros(n, n, n, dtype=torch.float64)
    for place, weight in zip(places, weights, strict=True):
        px, py, pz = (a + b for a, b in zip(place, center, strict=True))
        total += weight * torch.exp(-((x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2) / 2 / width**2)
    return Template(total, voxel, 24.0, center)


@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (1.0, -2.0, 0.5)])
def test_density_has_each_copy_where_and_as_it_is_turned(generator, center):
    places = torch.tensor([[0.0, 0, 0], [12.0, 0, 0], [0, 8.0, -4.0]], dtype=torch.float64)
    weights = [1.0, 0.7, 0.5]
    template = blobs(places.tolist(), weights, center=center)
    at = torch.tensor([[10.0, -14.0, 6.0], [-40.0, 20.0, -8.0]], dtype=torch.float64)
    rotations = random_rotations(2, generator)
    scene = Scene((ParticlePoses("a", at, rotations),), (160.0, 120.0, 80.0))
    density, owner = scene_volumes(scene, {"a": template}, (40, 60, 80), 2.0)
    axes = [(torch.arange(n, dtype=torch.float64) - n // 2) * 2.0 for n in (40, 60, 80)]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    expected = torch.zeros(40, 60, 80, dtype=torch.float64)
    for p, r in zip(at, rotations, strict=True):
        for place, weight in zip(places @ r.T + p, weights, strict=True):
            squared = (x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2
            expected += weight * torch.exp(-squared / 50)
    # The error of linear interpolation: h² / 8 times the second derivatives, 3 / width² at a peak.
    assert (density - expected).abs().max() < 2.0**2 / 8 * 3 / 5.0**2
    for number, (px, py, pz) in enumerate(at.tolist(), start=1):
        assert owner[round(pz / 2) + 20, round(py / 2) + 30, round(px / 2) + 40] == number
    assert set(owner.unique().tolist()) == {0, 1, 2}
    assert (density[owner == 0] < 0.12).all()


def test_larger_voxels_hold_the_same_matter_and_what_is_outside_is_cut():
    template = blobs([(0.0, 0, 0)], [1.0])
    at = torch.tensor([[3.0, 1.0, -2.0], [500.0, 0, 0], [58.0, 0, 0]], dtype=torch.float64)
    identity = torch.eye(3, dtype=torch.float64)

    def volume(places, shape, voxel):
        poses = ParticlePoses("a", places, identity.expand(len(places), 3, 3))
        return scene_volumes(Scene((poses,), (120.0,) * 3), {"a": template}, shape, voxel)

    fine, _ = volume(at[:1], (60, 60, 60), 2.0)
    coarse, _ = volume(at[:1], (20, 20, 20), 6.0)
    assert float(coarse.sum()) * 27 == pytest.approx(float(fine.sum()), rel=0.01)
    assert float(fine.sum()) * 8 == pytest.approx((2 * torch.pi) ** 1.5 * 125, rel=0.01)
    outside, owner = volume(at[1:2], (60, 60, 60), 2.0)
    assert not outside.any() and not owner.any()
    cut, _ = volume(at[2:], (60, 60, 60), 2.0)
    assert 0.3 < float(cut.sum() / fine.sum()) < 0.9


def test_a_particle_of_no_copies_needs_no_template():
    none = ParticlePoses("a", torch.zeros(0, 3).double(), torch.zeros(0, 3, 3).double())
    density, owner = scene_volumes(Scene((none,), (120.0,) * 3), {}, (4, 5, 6), 2.0)
    assert density.shape == (4, 5, 6)
    assert not density.any() and not owner.any()
