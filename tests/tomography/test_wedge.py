import math

import pytest
import torch

from difftem.functional.fourier_shell import shell_correlation
from difftem.functional.grid import frequency_grid, radius
from difftem.tomography.projector import TiltProjector
from difftem.tomography.wedge import wedge_mask


def test_what_is_kept_is_the_part_of_the_angles_that_was_tilted_through():
    mask = wedge_mask((256, 2, 256), torch.linspace(-60, 60, 61))
    kz, kx = frequency_grid((256, 256), 1.0, half=True)
    inside = radius((kz, kx)) < 0.5
    inside[:, 0] = False
    assert mask[:, 0][inside].float().mean().item() == pytest.approx(120 / 180, abs=0.004)
    assert (mask == mask[:, :1]).all()
    assert not mask[1:, :, 0].any()  # along the beam
    assert mask[0].all()  # images at no tilt, the axis among them


def test_a_small_case_is_the_one_worked_out_by_hand():
    """From 0 to 45 degrees kz / kx is 0 to 1, kx never negative, kz 0, 1, -2, -1 from row 0 on."""
    mask = wedge_mask((4, 1, 4), torch.tensor([45.0, 0.0]))[:, 0]
    assert mask.tolist() == [[True] * 3, [False, True, True], [False] * 3, [False] * 3]
    # Within 0.1 of the planes of 0 and 90 degrees: the row kz = 0 and the column kx = 0.
    planes = wedge_mask((4, 1, 4), torch.tensor([0.0, 90.0]), 0.1)[:, 0]
    assert planes.tolist() == [[True] * 3, *[[True, False, False]] * 3]


def test_tilts_through_half_a_turn_leave_nothing_out_and_may_go_round():
    assert wedge_mask((8, 3, 6), torch.tensor([-90.0, 90.0])).all()
    assert wedge_mask((8, 3, 6), torch.tensor([20.0, 200.0])).all()
    tilted = wedge_mask((8, 3, 6), torch.tensor([100.0, 130.0]))
    assert torch.equal(tilted, wedge_mask((8, 3, 6), torch.tensor([-80.0, -50.0])))


def test_planes_touch_up_to_crowthers_frequency():
    """Tilts of 5 degrees fill an object of 24 voxels up to 1 / (24 * 5 degrees in rad)."""
    step, size = 5.0, 24.0
    mask = wedge_mask((96, 1, 96), torch.arange(-90.0, 90.0, step), 1 / (2 * size))[:, 0]
    q = radius(frequency_grid((96, 96), 1.0, half=True))
    crowther = 1 / (size * math.radians(step))
    assert mask[q < 0.98 * crowther].all()
    assert not mask[(q > 1.1 * crowther) & (q < 1.25 * crowther)].all()


def test_an_image_of_the_projector_is_seen_in_the_plane_of_its_tilt(generator):
    """The adjoint of one image lies in the plane of its tilt, of that sign and no other."""
    tilt = torch.tensor([30.0])
    image = torch.randn(1, 2, 48, generator=generator)
    image = image - image.mean(2, keepdim=True)
    kx = torch.fft.rfftfreq(48)
    image = torch.fft.irfft(torch.fft.rfft(image) * (kx < 0.2), n=48)
    volume = TiltProjector(tilt, (48, 2, 48), (2, 48)).adjoint(image)
    z, x = torch.meshgrid(*[torch.arange(48) - 23.5] * 2, indexing="ij")
    window = torch.exp(-(z**2 + x**2) / (2 * 8**2))[:, None]
    power = torch.fft.rfftn(volume * window).abs().square()
    share = [
        float((power * wedge_mask((48, 2, 48), each, 0.06)).sum() / power.sum())
        for each in (tilt, -tilt)
    ]
    assert share[0] > 0.97
    assert share[1] < 0.6


def test_a_volume_without_its_missing_wedge_agrees_where_it_was_sampled_only(generator):
    shape = (32, 32, 32)
    volume = torch.randn(shape, generator=generator, dtype=torch.float64)
    mask = wedge_mask(shape, torch.tensor([-60.0, 60.0]))
    seen = torch.fft.irfftn(torch.fft.rfftn(volume) * mask, s=shape)
    inside = shell_correlation(volume, seen, 1.0, mask)
    everywhere = shell_correlation(volume, seen, 1.0)
    assert inside.correlation[:-1].min() > 0.999
    # The rest has lost a third of its power: the correlation is the root of two thirds.
    assert everywhere.correlation[4:-1].mean().item() == pytest.approx(math.sqrt(2 / 3), abs=0.02)


@pytest.mark.parametrize(
    ("tilts", "distance", "message"),
    [
        ([10.0], None, "two tilts at least"),
        ([], None, "finite angles"),
        ([0.0, math.nan], None, "finite angles"),
        ([0.0, 1.0], 0.0, "distance must be positive"),
    ],
)
def test_what_no_wedge_can_be_made_of_is_refused(tilts, distance, message):
    with pytest.raises(ValueError, match=message):
        wedge_mask((4, 4, 4), torch.tensor(tilts), distance)
