import pytest
import torch

from difftem.functional.pose import random_rotations
from difftem.scene.poses import ParticlePoses, Scene


@pytest.fixture
def scene(generator):
    """Two kinds of particles, in three entries, anywhere in a box."""

    def some(name, n):
        uniform = torch.rand(n, 3, generator=generator, dtype=torch.float64) - 0.5
        places = uniform * torch.tensor([900.0, 700.0, 200.0])
        return ParticlePoses(name, places, random_rotations(n, generator))

    return Scene((some("virion", 4), some("6vxx", 7), some("virion", 2)), (1000.0, 800.0, 300.0))


@pytest.fixture
def same():
    """Tell whether read copies are those of a scene, merged, to the decimals of a file."""

    def same(found, scene, atol=2e-6):
        expected = scene.merged().instances
        assert [each.particle for each in found] == [each.particle for each in expected]
        for a, b in zip(found, expected, strict=True):
            assert torch.allclose(a.positions, b.positions, atol=atol, rtol=0)
            assert torch.allclose(a.rotations, b.rotations, atol=2e-7, rtol=0)

    return same
