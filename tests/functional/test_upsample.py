import pytest
import torch

from difftem.functional.upsample import fourier_upsample


def waves(axis, seed=0):
    """Smooth, with no period in the image: waves up to 0.3 of Nyquist, as images have at 0.12 Å."""
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand(10, 3, generator=generator, dtype=torch.float64)
    fy, fx, phase = (draw * torch.tensor([0.15, 0.15, 1.0])).unbind(1)
    turns = fy[:, None, None] * axis[:, None] + fx[:, None, None] * axis + phase[:, None, None]
    return torch.cos(2 * torch.pi * turns).sum(0)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_points_that_were_there_stay(factor):
    image = torch.rand(2, 24, 34, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    fine = fourier_upsample(image, factor)
    assert fine.shape == (2, 24 * factor, 34 * factor)
    assert torch.allclose(fine[:, ::factor, ::factor], image, atol=1e-12)


def test_points_between_are_those_of_the_waves_and_only_the_rim_errs():
    n = 128
    axis = torch.arange(n, dtype=torch.float64)
    found, expected = (
        fourier_upsample(waves(axis)),
        waves(torch.arange(2 * n, dtype=torch.float64) / 2),
    )
    error = (found - expected).abs()
    assert float(expected.std()) > 1.0
    assert float(error[24:-24, 24:-24].max()) < 2e-3
    # The last row and column lie beyond the last points that are there.
    assert float(error[:-1, :-1].max()) < 0.05 * float(expected.std())
    assert float(error[4:-5, 4:-5].max()) < 0.01 * float(expected.std())


@pytest.mark.parametrize(
    ("shape", "factor", "message"),
    [((24, 24), 0, "factor must be at least 1"), ((25, 24), 2, "even"), ((16, 24), 2, "18 pixels")],
)
def test_impossible_sides_and_factors_are_refused(shape, factor, message):
    with pytest.raises(ValueError, match=message):
        fourier_upsample(torch.zeros(shape), factor)
