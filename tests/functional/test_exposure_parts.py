import math

import pytest
import torch

from difftem.functional.exposure_parts import part_exposures
from difftem.functional.unsupervised_error import unsupervised_error_map

N, ELECTRONS = 128, 6.0


def scene():
    """Whitened signal of an exposure; brightness from 0.5 to 1.5 of the mean."""
    x = torch.arange(N, dtype=torch.float64) / N
    relative = 0.5 * torch.cos(2 * math.pi * 3 * x)
    return (math.sqrt(ELECTRONS) * relative).expand(N, N)


def exposures(n, generator, counts=True):
    signal = scene().expand(n, N, N)
    if not counts:
        return signal + torch.randn(n, N, N, generator=generator, dtype=torch.float64)
    rate = ELECTRONS + math.sqrt(ELECTRONS) * signal
    return (torch.poisson(rate, generator=generator) - ELECTRONS) / math.sqrt(ELECTRONS)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("fraction", [0.5, 0.8])
def test_parts_and_thirds_of_one_exposure_have_its_signal_and_noise_of_their_own(
    counts, fraction, generator
):
    parts = part_exposures(exposures(1, generator, counts), ELECTRONS, fraction, generator)
    power = scene().square().mean()
    for part, p in zip(parts, (fraction, 1 - fraction), strict=True):
        image, signal = part.summed()
        assert part.electrons == pytest.approx(p * ELECTRONS)
        found = (image * scene()).mean() / power
        assert found.item() == pytest.approx(signal, abs=4 / N / float(power) ** 0.5)
        assert signal == pytest.approx(math.sqrt(p))
    copies = parts[1].copies(generator)
    variance = 3 / (1 - fraction)  # times the noise of the whole, 1 on average
    left = copies - scene()
    covariance = torch.einsum("iyx,jyx->ij", left, left) / N**2
    expected = variance * torch.eye(3, dtype=torch.float64)
    # Of Poisson counts a fourth moment of 3 + 1 / mean makes the variance scatter more.
    error = variance / N * math.sqrt(2 + variance / ELECTRONS)
    assert (covariance - expected).abs().max().item() < 4.5 * error
    assert left.mean((-2, -1)).abs().max().item() < 4 * math.sqrt(variance) / N


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_error_without_truth_is_the_true_one_over_seeds(n):
    def method(stack, electrons, generator):
        """Average, three pixels wide: it has bias and noise."""
        mean = stack.mean(0)[None, None]
        padded = torch.nn.functional.pad(mean, (1, 1, 1, 1), mode="circular")
        return torch.nn.functional.avg_pool2d(padded, 3, 1)[0, 0]

    differences, errors = [], []
    for seed in range(16):
        generator = torch.Generator().manual_seed(seed)
        kept, held_out = part_exposures(exposures(n, generator), ELECTRONS, 0.6, generator)
        estimate = kept.estimate(method)
        true = (estimate - scene()).square().mean()
        found = unsupervised_error_map(estimate, held_out.copies(generator)).mean()
        differences.append(float(found - true))
        errors.append(float(true))
    differences = torch.tensor(differences)
    standard_error = float(differences.std()) / math.sqrt(len(differences))
    assert abs(float(differences.mean())) < 3 * standard_error
    assert standard_error < 0.1 * sum(errors) / len(errors)  # and it is a test of something


def test_held_out_exposures_are_spread_over_the_movie():
    stack = torch.arange(10.0).reshape(10, 1, 1)
    kept, held_out = part_exposures(stack, 3.0, 0.8)
    assert held_out.exposures.flatten().tolist() == [4, 9]
    assert kept.exposures.flatten().tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert part_exposures(stack, 3.0, 0.5)[1].exposures.flatten().tolist() == [1, 3, 5, 7, 9]
    assert len(part_exposures(stack, 3.0, 0.999)[1].exposures) == 1
    assert held_out.copies().flatten().tolist() == [4, 9]


def test_parts_that_are_none_are_refused():
    with pytest.raises(ValueError, match="fraction must be between 0 and 1, got 1"):
        part_exposures(torch.zeros(1, 4, 4), 2.0, 1.0)
    with pytest.raises(ValueError, match=r"exposures must be a stack \(n, y, x\), got \(4, 4\)"):
        part_exposures(torch.zeros(4, 4), 2.0)


def test_a_wrong_level_of_noise_shifts_the_error_alike_for_all_less_twice_what_a_method_passes():
    excess, n, size = 0.1, 8, 512

    def method(stack, electrons, generator=None):
        """Pass an eighth of each pixel's own noise and nothing else."""
        return stack.mean(0) / n

    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, size, size, generator=generator, dtype=torch.float64)
    noise *= math.sqrt(1 + excess)  # taken for 1
    kept, held_out = part_exposures(noise, ELECTRONS, 0.5, generator)
    estimate = kept.estimate(method)
    found = unsupervised_error_map(estimate, held_out.copies(generator)).mean()
    shift = float(found - estimate.square().mean())
    error = math.sqrt(3) * 2 / size  # noise of variance 2 in the mean of the copies
    assert shift == pytest.approx(excess * (1 - 2 / n), abs=4 * error)
    assert error < 0.1 * excess
