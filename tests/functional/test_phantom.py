import pytest
import torch

from difftem.functional.phantom import random_map

SHAPE = (17, 20, 24)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def ellipsoid():
    axes = [(2 * torch.arange(n).double() / (n - 1) - 1) ** 2 for n in SHAPE]
    return axes[0][:, None, None] + axes[1][:, None] + axes[2]


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("contrast", [3.0, -2.0])
def test_mean_magnitude_over_the_ellipsoid_is_the_contrast(positive, contrast):
    made = random_map(SHAPE, contrast, 1.0, positive=positive, generator=seeded()).double()
    ellipsoid_voxels = made.numel() * torch.pi / 6
    assert float(made.abs().sum() / ellipsoid_voxels) == pytest.approx(abs(contrast), rel=1e-5)
    if positive:
        assert float((made * contrast).min()) >= -1e-9
    else:
        assert made.min() < 0 < made.max()


def test_map_ends_at_the_ellipsoid():
    made = random_map(SHAPE, 1.0, 0.5, generator=seeded())
    assert made.shape == SHAPE
    assert (made[ellipsoid() >= 1] == 0).all()
    assert (made[ellipsoid() < 0.5] != 0).all()


def test_same_seed_gives_the_same_map_and_another_seed_another():
    one, same, other = (random_map(SHAPE, 1.0, 1.0, generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)


def test_spectrum_falls_with_the_power_of_the_smoothness():
    # Before the fade: in the middle of a large map, the correlation of neighbours.
    correlations = []
    for p in (0.0, 0.5, 2.0):
        made = random_map((32, 32, 32), 1.0, p, generator=seeded(3)).double()[8:24, 8:24, 8:24]
        made = made - made.mean()
        correlations.append(float((made[1:] * made[:-1]).mean() / (made**2).mean()))
    assert correlations == sorted(correlations)
    assert correlations[-1] > 0.9


def test_impossible_maps_are_refused():
    with pytest.raises(ValueError, match="smoothness >= 0"):
        random_map(SHAPE, 1.0, -1.0)
    with pytest.raises(ValueError, match="at least 2 voxels"):
        random_map((1, 8, 8), 1.0, 1.0)
