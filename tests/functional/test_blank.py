import torch

from difftem.functional.blank import background_power, blank_exposures
from difftem.functional.whitening import radial_transfer


def test_a_blank_exposure_has_white_noise_of_variance_one(generator):
    values = blank_exposures((3, 256, 256), 5.0, generator=generator)
    assert values.mean().abs() < 0.01
    assert abs(values.var() - 1) < 0.01
    both = (values[0] * values[1]).mean()
    assert both.abs() < 0.02


def test_single_electrons_stay_integers(generator):
    values = blank_exposures((1, 64, 64), 0.45, generator=generator)
    counts = values * 0.45**0.5 + 0.45
    assert torch.allclose(counts, counts.round(), atol=1e-5)
    assert 0.6 < float((counts.round() == 0).float().mean()) < 0.68  # exp(-0.45) is 0.638


def test_the_background_is_shared_by_the_exposures_and_has_its_power(generator):
    frequency = torch.tensor([0.0, 0.1, 0.1001, 0.8])
    power = torch.tensor([3.0, 3.0, 1.0, 1.0])
    values = blank_exposures((2, 512, 512), 50.0, (frequency, power), generator)
    inside = radial_transfer(frequency, power - 1, (512, 512)) > 1
    spectra = torch.fft.rfft2(values) / 512
    cross = (spectra[0] * spectra[1].conj()).real
    assert abs(cross[inside].mean() - 2) < 0.1
    assert cross[~inside].mean().abs() < 0.05
    assert abs(spectra[0].abs().square()[inside].mean() - 3) < 0.15


def test_the_background_of_white_noise_is_white(generator):
    frequency, power = background_power(torch.randn(1024, 1024, generator=generator))
    # The lowest rings have few coefficients, and the quietest blocks are the lowest of all.
    assert (power - 1)[frequency > 0.02].max() < 0.1
    assert (power - 1).max() < 0.3


def test_the_background_of_a_particle_among_ice_is_that_of_the_ice(generator):
    ice = (torch.tensor([0.0, 0.1, 0.12, 0.8]), torch.tensor([1.5, 1.5, 1.0, 1.0]))
    values = blank_exposures((1, 1024, 1024), 50.0, ice, generator)[0]
    values[:300, :300] += 5 * torch.randn(300, 300, generator=generator)
    frequency, power = background_power(values)
    assert abs(power[(frequency > 0.02) & (frequency < 0.09)].mean() - 1.5) < 0.1
    assert (power[frequency > 0.15] - 1).max() < 0.1


def test_an_image_smaller_than_a_block_is_one(generator):
    frequency, power = background_power(torch.randn(100, 60, generator=generator))
    assert len(frequency) == len(power)
    assert torch.isfinite(power).all()
