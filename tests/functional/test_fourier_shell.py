import math

import pytest
import torch

from difftem.functional.fourier_shell import crossing, shell_correlation, shell_products
from difftem.functional.grid import frequency_grid, radius

SHAPE = (48, 64, 56)


def known_ssnr(q):
    """Ratio of signal power to noise power of the volumes below."""
    return 8 * torch.exp(-((q / 0.15) ** 2))


@pytest.fixture
def signal_and_halves(generator):
    """Signal with a known spectrum, and two volumes of it with independent white noise."""
    q = radius(frequency_grid(SHAPE, 1.0, half=True))
    white = torch.fft.rfftn(torch.randn(SHAPE, generator=generator, dtype=torch.float64))
    signal = torch.fft.irfftn(white * known_ssnr(q).sqrt(), s=SHAPE)
    return signal, signal + torch.randn(2, *SHAPE, generator=generator, dtype=torch.float64)


def test_halves_correlate_by_their_ssnr_and_a_volume_with_its_truth_by_the_root(signal_and_halves):
    signal, halves = signal_and_halves
    found = shell_correlation(halves[0], halves[1], 2.0)
    assert found.frequency[[0, -1]].tolist() == pytest.approx([1 / 128, 0.25])
    ssnr = known_ssnr(2.0 * found.frequency)
    bound = 4 / found.n.sqrt()  # standard deviation of the correlation of noise, four times
    assert ((found.correlation - ssnr / (1 + ssnr)).abs() < bound).all()
    truth = shell_correlation(halves[0], signal, 2.0).correlation
    assert ((truth - (ssnr / (1 + ssnr)).sqrt()).abs() < bound).all()
    # SSNR / (1 + SSNR) = 0.5 at SSNR = 1; against the truth its root is 0.5 at SSNR = 1/3.
    expected = 0.15 * math.sqrt(math.log(8)) / 2.0
    assert crossing(found.frequency, found.correlation, 0.5) == pytest.approx(expected, abs=0.004)
    expected = 0.15 * math.sqrt(math.log(24)) / 2.0
    assert crossing(found.frequency, truth, 0.5) == pytest.approx(expected, abs=0.004)


def test_unrelated_noise_correlates_by_one_over_the_root_of_the_number_of_voxels(generator):
    first, second = torch.randn(2, *SHAPE, generator=generator)
    found = shell_correlation(first, second, 1.0)
    assert (found.correlation * found.n.sqrt()).square().mean().item() == pytest.approx(1, abs=0.6)


def test_equal_volumes_agree_everywhere_in_any_units_and_opposite_ones_nowhere(generator):
    volume = torch.randn(9, 12, 11, generator=generator)
    assert shell_correlation(volume, 3 * volume + 500, 1.0).correlation.tolist() == pytest.approx(
        [1] * 6, abs=1e-5
    )
    assert shell_correlation(volume, -volume, 1.0).correlation.tolist() == pytest.approx([-1] * 6)
    assert shell_correlation(volume, torch.ones_like(volume), 1.0).correlation.tolist() == [0] * 6


def test_shells_of_a_small_volume_are_those_counted_by_hand():
    """Of 4 x 4 x 4 voxels: k = 1/4 and its diagonals up to 3/8, then up to Nyquist, 1/2."""
    _, y, x = torch.meshgrid(*[torch.arange(4.0)] * 3, indexing="ij")
    wave = torch.cos(math.pi * x / 2)  # |k| = 1/4
    other = torch.cos(math.pi * y)  # |k| = 1/2
    sums = shell_products(wave + other, wave - 2 * other, 2)
    # Integers -2 to 1 along each axis: 6 have the square 1 and 12 the square 2, which is nearer to
    # the first shell; 8 have 3 and 3 have 4, in the second; the others are beyond Nyquist.
    assert sums[3].tolist() == [18, 11]
    # A cosine of amplitude 1 has 64/2 at ±k; at Nyquist 64 once.
    assert sums[0].tolist() == pytest.approx([2 * 32**2, -2 * 64**2], abs=1e-6)
    assert sums[1].tolist() == pytest.approx([2 * 32**2, 64**2], abs=1e-6)
    assert sums[2].tolist() == pytest.approx([2 * 32**2, 4 * 64**2], abs=1e-6)
    assert shell_correlation(wave + other, wave - 2 * other, 1.0).correlation.tolist() == (
        pytest.approx([1, -1])
    )


def test_masked_frequencies_do_not_count(generator):
    volume = torch.randn(16, 16, 16, generator=generator)
    q = frequency_grid(tuple(volume.shape), 1.0, half=True)
    kept = (q[0].abs() <= q[2]).expand(16, 16, 9)
    spoiled = torch.fft.rfftn(volume) * torch.where(kept, 1.0, -3.0)
    other = torch.fft.irfftn(spoiled, s=(16, 16, 16))
    everything = shell_correlation(volume, other, 1.0)
    inside = shell_correlation(volume, other, 1.0, kept)
    assert inside.correlation[:-1].tolist() == pytest.approx([1] * 7, abs=1e-5)
    assert everything.correlation.max() < 0.5
    assert (inside.n <= everything.n).all()


def test_a_crossing_is_interpolated_for_the_first_or_the_last_time():
    frequency = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])
    curve = torch.tensor([0.9, 0.1, 0.7, 0.3, 0.1])
    assert crossing(frequency, curve, 0.5) == pytest.approx(0.15)
    assert crossing(frequency, curve, 0.5, "last") == pytest.approx(0.35)
    assert crossing(frequency, curve, 0.95) == crossing(frequency, curve, 0.95, "last") == 0
    assert crossing(frequency, curve, 0.05) == pytest.approx(0.5)
    assert crossing(frequency, 1 - curve, 0.5) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: shell_correlation(a, a[1:], 1.0), r"got \(4, 4, 4\) and \(3, 4, 4\)"),
        (lambda a: shell_correlation(a, a, 0.0), "pixel_size must be positive"),
        (lambda a: shell_correlation(a, a, 1.0, a), r"mask must be \(4, 4, 3\)"),
        (lambda a: shell_correlation(a, a, 1.0, n_shells=0), "n_shells must be at least 1"),
        (lambda a: crossing(a[0, 0], a[0, 0, 1:], 0.5), "one shape"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(4, 4, 4))
