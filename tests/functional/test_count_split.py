import math

import pytest
import torch

from difftem.functional.count_split import split_exposure, split_whitened, thin_counts

N = 384  # pixels across


def correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).mean() / (a.std() * b.std()))


@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.8])
def test_thinned_counts_are_poisson_and_independent(fraction, generator):
    counts = torch.poisson(torch.full((N, N), 4.0, dtype=torch.float64), generator=generator)
    parts = thin_counts(counts, fraction, generator)
    assert torch.equal(parts[0] + parts[1], counts)
    for part, p in zip(parts, (fraction, 1 - fraction), strict=True):
        mean = 4 * p
        assert part.mean() == pytest.approx(mean, abs=4 * math.sqrt(mean) / N)
        # Variance of the sample variance of Poisson counts: (mean + 2 mean²) / n.
        assert part.var() == pytest.approx(mean, abs=4 * math.sqrt(mean + 2 * mean**2) / N)
    assert abs(correlation(*parts)) < 4 / N
    # Independent, not only uncorrelated: what one part is tells nothing of the other's square.
    assert abs(correlation(parts[0], (parts[1] - 4 * (1 - fraction)) ** 2)) < 4 / N
    for k in range(3):
        found = float((parts[1] == k).double().mean())
        mean = 4 * (1 - fraction)
        expected = math.exp(-mean) * mean**k / math.factorial(k)
        assert found == pytest.approx(expected, abs=4 * math.sqrt(expected) / N)


@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.8])
def test_parts_of_whitened_values_have_unit_noise_and_share_the_signal_only(fraction, generator):
    signal = torch.linspace(-2, 2, N, dtype=torch.float64).expand(N, N)
    noise = torch.randn(N, N, generator=generator, dtype=torch.float64)
    parts = split_whitened(signal + noise, fraction, generator)
    left = [
        part - math.sqrt(p) * signal
        for part, p in zip(parts[:2], (fraction, 1 - fraction), strict=True)
    ]
    for part in left:
        assert part.mean() == pytest.approx(0, abs=4 / N)
        assert part.var() == pytest.approx(1, abs=4 * math.sqrt(2) / N)
    assert abs(correlation(*left)) < 4 / N
    assert abs(correlation(left[0] ** 2, left[1] ** 2)) < 4 / N
    expected = math.sqrt(fraction) * signal
    error = math.sqrt(fraction / (1 - fraction)) / N
    assert (parts.target - expected).mean() == pytest.approx(0, abs=4 * error)


def test_noise_that_follows_the_brightness_is_split_without_correlation(generator):
    variance = torch.full((N, N), 0.5, dtype=torch.float64)
    variance[:, N // 2 :] = 2.0
    noise = variance.sqrt() * torch.randn(N, N, generator=generator, dtype=torch.float64)
    parts = split_whitened(noise, 0.5, generator, variance)
    plain = split_whitened(noise, 0.5, generator)
    for half in (slice(None, N // 2), slice(N // 2, None)):
        bound = 4 * math.sqrt(2) / N
        assert abs(correlation(parts.kept[:, half], parts.held_out[:, half])) < bound
        # Noise of variance 1 would leave (v - 1) / (v + 1).
        v = float(variance[0, half][0])
        assert correlation(plain.kept[:, half], plain.held_out[:, half]) == pytest.approx(
            (v - 1) / (v + 1), abs=bound
        )


def test_counts_are_split_as_counts_and_other_values_are_not(generator):
    electrons = 0.45
    counts = torch.poisson(torch.full((N, N), electrons), generator=generator)
    values = (counts - electrons) / math.sqrt(electrons)
    parts = split_exposure(values, electrons, 0.25, generator)
    back = parts.kept * math.sqrt(0.25 * electrons) + 0.25 * electrons
    torch.testing.assert_close(back, back.round(), rtol=0, atol=1e-5)
    assert parts.kept.var() == pytest.approx(1, abs=0.02)
    assert parts.held_out.var() == pytest.approx(1, abs=0.02)
    split = split_exposure(values + 0.1, electrons, 0.25, generator)
    back = split.kept * math.sqrt(0.25 * electrons) + 0.25 * electrons
    assert float((back - back.round()).abs().mean()) > 0.1


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_empty_parts_are_refused(fraction):
    with pytest.raises(ValueError, match="fraction must be between 0 and 1, got"):
        split_whitened(torch.zeros(4, 4), fraction)


@pytest.mark.parametrize("bad", [0.5, -1.0])
def test_what_is_no_count_is_not_thinned(bad):
    with pytest.raises(ValueError, match="counts must be whole numbers"):
        thin_counts(torch.full((4, 4), bad), 0.5)
