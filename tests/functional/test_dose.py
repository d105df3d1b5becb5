import torch

from difftem.functional.dose import expected_counts


def test_vacuum_gives_the_dose_in_every_pixel():
    counts = expected_counts(torch.ones(5, 7), torch.tensor(20.0), 1.5)
    torch.testing.assert_close(counts, torch.full((5, 7), 20 * 1.5**2))


def test_counts_scale_with_pixel_area_and_with_each_dose_of_a_series():
    intensity = torch.rand(3, 4, 6, dtype=torch.float64)
    dose = torch.tensor([[1.0], [10.0]], dtype=torch.float64)
    counts = expected_counts(intensity, dose, 0.5)
    assert counts.shape == (2, 3, 4, 6)
    torch.testing.assert_close(counts[1], 10 * counts[0])
    torch.testing.assert_close(expected_counts(intensity, dose, 1.0), 4 * counts)
    torch.testing.assert_close(counts[0], 0.25 * intensity)
