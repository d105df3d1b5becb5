import math

import pytest
import torch

from difftem.simulation.bank.shells import Layer, abel, ellipsoid_distance, profile_of


def test_a_ball_projects_to_the_length_of_its_chords():
    radius, step = 100.0, 1.0
    table = abel(profile_of([Layer(-radius, radius, 2.0, 0.5)], 1.0), radius + 10, step)
    rho = step * torch.arange(90.0)
    chords = 2 * 2.0 * torch.sqrt(radius**2 - rho**2)
    assert torch.allclose(table[:90], chords, rtol=3e-3)
    assert float(table[105:].abs().max()) < 1e-3


def test_a_shell_keeps_its_integral():
    layers = [Layer(60.0, 70.0, 1.5, 2.0)]
    table = abel(profile_of(layers, 1.0), 100.0, 0.5)
    rho = 0.5 * torch.arange(len(table))
    found = float(torch.trapezoid(2 * math.pi * rho * table, rho))
    assert found == pytest.approx(1.5 * 4 / 3 * math.pi * (70**3 - 60**3), rel=5e-3)


def test_a_stretched_ball_seen_along_any_axis_has_the_outline_and_depth_of_the_ellipsoid():
    axes = torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64)
    turn = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]], dtype=torch.float64)  # z to x
    x, y = torch.tensor([[20.0]]), torch.tensor([[0.0]])
    rho, factor = ellipsoid_distance(x, y, (0.0, 0.0), axes, turn)
    assert float(rho) == pytest.approx(10.0)  # twice as far out along the long axis
    assert factor == pytest.approx(1.0)
    rho, factor = ellipsoid_distance(x, y, (0.0, 0.0), axes, torch.eye(3, dtype=torch.float64))
    assert float(rho) == pytest.approx(20.0)
    assert factor == pytest.approx(2.0)  # seen along it, everything is twice as deep
