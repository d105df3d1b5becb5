"""Shifts between tilts, found again."""

import pytest
import torch

from difftem.modules.stage import Stage
from difftem.tomography.alignment import centred_mass, correlated_shifts
from difftem.tomography.common_axis import common_axis
from difftem.tomography.geometry import single_axis

TILTS = torch.deg2rad(torch.tensor([20.0, -20.0, 0.0, -40.0, 40.0])).double()


def flat_specimen(generator, shifts, side=64):
    """A film of many points, seen at the tilts and shifted."""
    points = (torch.rand(60, 2, generator=generator, dtype=torch.float64) - 0.5) * 1.6 * side
    weight = torch.rand(60, generator=generator, dtype=torch.float64) + 0.2
    y, x = (torch.arange(side, dtype=torch.float64) - side // 2 for _ in range(2))
    seen = []
    for tilt, by in zip(TILTS, shifts, strict=True):
        at = points * torch.stack([tilt.cos(), torch.ones_like(tilt)]) + by
        columns = torch.exp(-((x - at[:, :1]) ** 2) / 8) * weight[:, None]
        seen.append(torch.exp(-((y - at[:, 1:]) ** 2) / 8).T @ columns)
    return torch.stack(seen)


def test_shifts_of_a_flat_specimen_are_found_by_correlation(generator):
    shifts = torch.tensor([[3.0, -2.0], [-4.0, 1.0], [0.0, 0.0], [2.5, 3.0], [-1.0, -3.5]]).double()
    found = correlated_shifts(flat_specimen(generator, shifts).float(), TILTS)
    assert float((found - shifts).abs().max()) < 0.5
    assert found[2].tolist() == [0.0, 0.0]


def test_an_object_is_put_onto_the_axis_by_its_mass():
    y, x = (torch.arange(48, dtype=torch.float64) - 24 for _ in range(2))
    shifts = torch.tensor([[3.2, 0.0], [-4.1, 2.0], [0.0, 0.0], [2.0, -3.0], [1.0, 1.0]]).double()
    blobs = []
    for tilt, by in zip(TILTS, shifts, strict=True):
        image = torch.zeros(48, 48, dtype=torch.float64)
        for px, py, pz in ((6.0, 5.0, 2.0), (-6.0, -4.0, -2.0), (0.0, 9.0, 0.0), (0.0, -7.0, 0.0)):
            at = px * tilt.cos() + pz * tilt.sin() + by[0]
            image += torch.exp(-((y[:, None] - py - by[1]) ** 2 + (x - at) ** 2) / 10)
        blobs.append(image)
    found = centred_mass(torch.stack(blobs).float(), TILTS)
    assert float((found - shifts)[:, 0].abs().max()) < 0.05
    assert float((found - shifts)[:, 1].abs().max()) < 0.5
    with pytest.raises(ValueError, match="image 1 has no mass above its background"):
        centred_mass(-torch.stack(blobs), TILTS)


@pytest.mark.parametrize("axis", [90.0, 84.0, 4.0])
def test_the_common_axis_of_rotations_is_that_of_the_stage(axis):
    turns = torch.tensor([1.0, -0.5, 0.2, 0.0, 2.0])
    stage = Stage(torch.rad2deg(TILTS), axis, in_plane_deg=turns)
    found, turn, along = common_axis(stage.rotation(), torch.zeros(5, 2))
    assert turn == pytest.approx(axis - 90.0, abs=1e-6)
    assert along == pytest.approx(0.0, abs=1e-6)
    assert torch.allclose(found.tilts_deg, torch.rad2deg(TILTS))
    straight = single_axis(torch.rad2deg(TILTS), axis)
    angle = torch.deg2rad(turns[3])
    assert float(angle) == 0.0
    assert torch.allclose(found.matrices[3], straight.matrices[3])
    base = Stage(torch.tensor([5.0]), 0.0).rotation()  # the sample leans along the axis
    leaning = Stage(torch.rad2deg(TILTS), 90.0, base=base.expand(5, 3, 3)).rotation()
    assert common_axis(leaning, torch.zeros(5, 2))[2] > 3.0
