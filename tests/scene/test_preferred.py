"""Preferred orientations."""

import math

import pytest
import torch

from difftem.scene.orientations import Preference, orientations


def beam_axis(rotations, axis):
    """Where the particle's axis points."""
    axis = torch.tensor(axis, dtype=torch.float64)
    return rotations @ (axis / axis.norm())


def test_the_axis_points_along_the_beam_and_the_turn_about_it_is_random(generator):
    wanted = Preference((1.0, 2.0, -2.0), spread_deg=0.0)
    found = orientations(4000, "preferred", generator, preference=wanted)
    identity = torch.eye(3, dtype=torch.float64).expand(4000, 3, 3)
    assert torch.allclose(found @ found.mT, identity, atol=1e-12)
    assert torch.allclose(torch.linalg.det(found), torch.ones(4000).double())
    z = torch.tensor([0.0, 0, 1]).double().expand(4000, 3)
    assert torch.allclose(beam_axis(found, wanted.axis), z, atol=1e-12)
    across = torch.tensor([2.0, -1.0, 0.0]).double() / math.sqrt(5)  # at right angles to the axis
    azimuth = torch.atan2(*(found @ across)[:, [1, 0]].T)
    for order in (1, 2, 3):  # even: no harmonic beyond 4 standard errors
        assert abs(torch.exp(1j * order * azimuth).mean()) < 4 / math.sqrt(4000)


@pytest.mark.parametrize("spread", [3.0, 10.0, 40.0])
def test_directions_are_those_of_von_mises_and_fisher(generator, spread):
    wanted = Preference((0.0, 0.0, 1.0), spread_deg=spread)
    direction = beam_axis(
        orientations(20_000, "preferred", generator, preference=wanted), [0, 0, 1]
    )
    kappa = math.radians(spread) ** -2
    expected = 1 / math.tanh(kappa) - 1 / kappa
    variance = 1 - expected**2 - 2 * expected / kappa  # of the cosine
    error = math.sqrt(variance / 20_000)
    assert float(direction[:, 2].mean()) == pytest.approx(expected, abs=4 * error)
    assert float(direction[:, 2].var()) == pytest.approx(variance, rel=0.1)
    if spread < 15:  # a Gaussian cone
        assert float(torch.rad2deg(direction[:, 0]).std()) == pytest.approx(spread, rel=0.03)
    assert direction[:, :2].mean(0).abs().max() < 4 * math.radians(spread) / math.sqrt(20_000)


def test_shares_are_flipped_and_left_to_chance(generator):
    n = 10_000
    wanted = Preference((1.0, 0.0, 0.0), spread_deg=5.0, share=0.7, flipped=0.25)
    z = beam_axis(orientations(n, "preferred", generator, preference=wanted), wanted.axis)[:, 2]
    cap = (1 - math.cos(math.radians(25))) / 2  # of random ones, that look like preferred ones
    error = 4 / math.sqrt(n)
    up, down = (float((each > math.cos(math.radians(25))).double().mean()) for each in (z, -z))
    assert up == pytest.approx(0.7 * 0.75 + 0.3 * cap, abs=error)
    assert down == pytest.approx(0.7 * 0.25 + 0.3 * cap, abs=error)
