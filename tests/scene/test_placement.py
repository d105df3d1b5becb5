import pytest
import torch

from difftem.scene.placement import random_positions


def test_points_keep_their_distance_and_stay_inside(generator):
    points = random_positions(40, 1000.0, 600.0, 70.0, generator)
    assert points.shape == (40, 2)
    assert torch.pdist(points).min() >= 70
    assert (points.abs() <= torch.tensor([500.0, 300.0])).all()


def test_points_fill_the_rectangle_evenly():
    generator = torch.Generator().manual_seed(1)
    points = torch.cat([random_positions(5, 100.0, 100.0, 1.0, generator) for _ in range(400)])
    # Mean 0 and variance side² / 12 within five standard errors.
    assert points.mean(0).abs().max() < 5 * 100 / 12**0.5 / 2000**0.5
    assert torch.allclose(points.var(0), torch.tensor(100.0**2 / 12).double(), rtol=0.1)


def test_same_seed_gives_the_same_points():
    first, second = (
        random_positions(9, 90.0, 90.0, 10.0, torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_too_many_copies_say_how_many_fit(generator):
    with pytest.raises(ValueError, match=r"only \d+ of 50 copies of 100 Å fit") as error:
        random_positions(50, 300.0, 300.0, 100.0, generator)
    assert 5 <= int(str(error.value).split()[1]) <= 16
