import pytest
import torch

from difftem.baselines.average import average
from difftem.baselines.paper import fit_rate, paper, paper_exact
from difftem.functional.image_error import correlation

ELECTRONS = 25.0


def exposures(generator, n, size=40):
    return (torch.poisson(torch.full((n, size, size), ELECTRONS), generator) - ELECTRONS) / 5


def contrast(estimate, of):
    return float(((estimate - estimate.mean()) * (of - of.mean())).mean() / of.var())


@pytest.mark.parametrize("n", [1, 2])
def test_the_exact_optimum_is_the_average_less_half_an_electron(generator, n):
    x = exposures(generator, n)
    found = paper_exact(x, ELECTRONS)
    torch.testing.assert_close(found, average(x, ELECTRONS) - 0.5 / 5, atol=1e-5, rtol=0)


def test_no_rate_of_the_optimum_is_negative(generator):
    counts = torch.poisson(torch.full((1, 32, 32), 0.7), generator)
    found = paper_exact((counts - 0.7) / 0.7**0.5, 0.7)
    rate = 0.7 + 0.7**0.5 * found
    torch.testing.assert_close(rate, (counts[0] - 0.5).clamp(min=0), atol=1e-5, rtol=0)


def test_without_normalisation_the_optimiser_goes_to_the_average(generator):
    x = exposures(generator, 2)
    found = paper(x, ELECTRONS, generator, steps=60, normalise=False)
    mean = average(x, ELECTRONS)
    assert float(correlation(found, mean)) > 0.93
    assert contrast(found, mean) == pytest.approx(1, abs=0.04)
    assert float(found.mean()) == pytest.approx(float(mean.mean()) - 0.1, abs=0.03)


@pytest.mark.parametrize("n", [2, 4])
def test_normalised_contrast_drifts_until_it_is_that_of_noisy_copies(generator, n):
    x = exposures(generator, n, 64)
    found = paper(x, ELECTRONS, generator, steps=100)
    mean = average(x, ELECTRONS)
    assert float(correlation(found, mean)) > 0.9
    # A noisy copy: what the image varies by, and its own noise.
    copies = float(found.var() + 1 + found.mean() / ELECTRONS**0.5)
    assert contrast(found, mean) == pytest.approx(copies**0.5, rel=0.1)
    assert contrast(found, mean) > 1.2


def test_the_contrast_of_a_single_exposure_grows_for_ever(generator):
    x = exposures(generator, 1) * 5 + ELECTRONS
    seen = []
    fit_rate(
        x,
        steps=120,
        samples=10,
        generator=generator,
        told=lambda step, rate: seen.append(contrast(rate, x[0])) if step % 40 == 0 else None,
    )
    assert 1.1 < seen[0] and seen[0] + 0.1 < seen[1] < seen[2] - 0.1


def test_copies_drawn_one_after_another_are_as_good_as_all_at_once(generator, monkeypatch):
    x = exposures(generator, 2)
    monkeypatch.setattr("difftem.baselines.paper._AT_ONCE", 3 * 40 * 40)
    found = paper(x, ELECTRONS, generator, steps=60, normalise=False)
    assert float(correlation(found, average(x, ELECTRONS))) > 0.93
