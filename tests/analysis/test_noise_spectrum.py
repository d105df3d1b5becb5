import numpy as np
import pytest
import torch

from difftem.analysis.noise_spectrum import (
    collapse_rings,
    half_grid_ordinates,
    mean_periodogram,
    window_efficiency,
)
from difftem.analysis.spectrum_lines import spectrum_outliers
from difftem.modules import Detector, LorentzianMTF


def flat_fields(n, shape, generator, rate=5.0):
    counts = torch.poisson(torch.full((n, *shape), rate).double(), generator=generator)
    return Detector(LorentzianMTF(), gain=2.0).double()(counts)


@pytest.mark.parametrize("shape", [(12, 16), (15, 9), (8, 8), (7, 10)])
def test_every_conjugate_pair_counts_once_and_rings_are_exact(shape, generator):
    image = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
    rings = collapse_rings(mean_periodogram(image), shape, 3)
    # Half of the degrees of freedom: all pixels but the mean.
    assert rings.ordinates.sum().item() == pytest.approx(3 * (shape[0] * shape[1] - 1) / 2)
    full = (np.abs(np.fft.fft2(image - image.mean((-2, -1), keepdim=True))) ** 2).mean(0)
    qy, qx = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None]
    q = np.round(np.hypot(qy, qx), 12)
    lengths = np.unique(q)[1:]
    np.testing.assert_allclose(rings.frequency, lengths, atol=1e-12)
    for i, length in enumerate(lengths):
        assert rings.power[i].item() == pytest.approx(
            full[q == length].mean() / image[0].numel(), rel=1e-9
        )
        assert rings.ordinates[i].item() == pytest.approx(3 * (q == length).sum() / 2)


def test_ring_power_of_white_noise_is_chi_square_distributed(generator):
    shape, n = (16, 16), 500
    image = torch.randn(n, *shape, generator=generator, dtype=torch.float64)
    one = [collapse_rings(mean_periodogram(crop), shape) for crop in image[:, None]]
    power = torch.stack([rings.power for rings in one])
    nu = one[0].ordinates
    # Mean 1 and variance 1 / ν: also rings of the real coefficients at Nyquist.
    scatter = (power.mean(0) - 1) * (nu * n).sqrt()
    assert scatter.abs().max() < 4
    assert (power.var(0) * nu).mean().item() == pytest.approx(1, abs=0.08)
    assert (power.var(0) * nu)[-1].item() == pytest.approx(1, abs=0.4)


def test_limits_and_masks_leave_out_what_they_say(generator):
    shape = (32, 32)
    spectrum = mean_periodogram(torch.randn(2, *shape, generator=generator))
    rings = collapse_rings(spectrum, shape, 2, limits=(0.1, 0.4))
    assert rings.frequency[0] >= 0.1
    assert rings.frequency[-1] <= 0.4
    keep = torch.ones_like(spectrum, dtype=torch.bool)
    keep[0] = False
    cut = collapse_rings(spectrum, shape, 2, keep=keep).ordinates.sum()
    assert cut.item() == 2 * ((32 * 32 - 1) / 2 - (32 - 1) / 2)
    with pytest.raises(ValueError, match="leave 0 rings of a 32 x 32 crop"):
        collapse_rings(spectrum, shape, limits=(0.401, 0.402))


def test_crops_of_a_larger_field_leak_little_and_less_through_a_window(generator):
    field = flat_fields(60, (192, 192), generator)
    truth = LorentzianMTF().double()
    bias = {}
    for window in ("none", "tukey", "hann"):
        crops = field[:, :64, :64]
        n = len(crops) * window_efficiency((64, 64), window)
        rings = collapse_rings(mean_periodogram(crops, window), (64, 64), n, limits=(0.45, 1))
        model = 20 * truth(rings.frequency) ** 2
        bias[window] = (rings.ordinates * (rings.power / model - 1)).sum() / rings.ordinates.sum()
        error = rings.ordinates.sum().rsqrt()
        assert window == "none" or bias[window].abs() < 4 * error + 0.01
    assert 0.01 < bias["none"] < 0.08  # the bound of the docstring: 1 / (2π² 64 0.4) x 10 x 2


def test_window_efficiency_is_the_variance_that_a_window_costs(generator):
    image = torch.randn(600, 24, 24, generator=generator, dtype=torch.float64)
    for window in ("tukey", "hann"):
        one = torch.stack([mean_periodogram(crop, window) for crop in image[:, None]])
        weight = half_grid_ordinates((24, 24))
        total = (one * weight)[:, 4:-3, 3:10].sum((1, 2)) / weight[4:-3, 3:10].sum()
        effective = 1 / total.var() / weight[4:-3, 3:10].sum()
        # Neighbours beyond the patch are missing, so the patch keeps a bit more.
        assert 0.9 < effective / window_efficiency((24, 24), window) < 1.6
    with pytest.raises(ValueError, match="window must be one of none, tukey, hann"):
        mean_periodogram(image[:1], "flat")


def test_clean_noise_has_no_outliers(generator):
    found = 0
    for _ in range(20):
        spectrum = mean_periodogram(flat_fields(3, (64, 64), generator))
        found += spectrum_outliers(spectrum, (64, 64), 3).excluded
    assert found <= 2


def test_lines_and_peaks_are_found_and_nothing_else(generator):
    n, shape = 6, (96, 96)
    image = flat_fields(n, shape, generator)
    y = torch.arange(shape[0]).double()[:, None]
    x = torch.arange(shape[1]).double()
    image = image + 0.4 * torch.cos(2 * torch.pi * (13 * y / shape[0] + 30 * x / shape[1]))
    # A gain reference that is off by column: power on the axis of x, weak at each frequency.
    image = image + 0.35 * torch.randn(shape[1], generator=generator).double()
    found = spectrum_outliers(mean_periodogram(image), shape, n)
    assert found.rows == (0,)
    assert found.columns == ()
    assert found.points == 1
    assert not found.keep[13, 30]
    assert found.excluded == 1 + shape[1] // 2 + 1 - 3  # the innermost three stay
