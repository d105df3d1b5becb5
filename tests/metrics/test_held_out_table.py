import math

import pytest
import torch

from difftem.functional.exposure_parts import part_exposures
from difftem.functional.fourier_ring import agreed_frequency, ring_correlation, ring_products
from difftem.functional.mtf import apply_transfer
from difftem.metrics.held_out_table import (
    ERROR_COLUMNS,
    HALF_COLUMNS,
    HELD_OUT_COLUMNS,
    RESIDUAL_COLUMNS,
    held_out_table,
)

N, ELECTRONS = 256, 30.0
CUT = 0.1  # cycles/pixel: the signal has a power of 3 below, and nothing above


def low_pass(image, cut=CUT):
    q = torch.hypot(torch.fft.fftfreq(N)[:, None], torch.fft.rfftfreq(N)[None])
    return apply_transfer(image, (q < cut).to(image))


def exposures(generator, n=1):
    signal = low_pass(math.sqrt(3) * torch.randn(N, N, generator=generator, dtype=torch.float64))
    return signal, signal + torch.randn(n, N, N, generator=generator, dtype=torch.float64)


def filtered(stack, electrons, generator=None):
    return low_pass(stack.mean(0))


@pytest.mark.parametrize(("n", "fraction"), [(1, 0.8), (1, 0.5), (4, 0.5)])
def test_a_filter_of_known_error_scores_it(n, fraction, generator):
    signal, stack = exposures(generator, n)
    found = held_out_table(
        filtered, stack, ELECTRONS, generator, fraction=fraction, block=32, columns=HELD_OUT_COLUMNS
    )
    assert tuple(found) == HELD_OUT_COLUMNS
    part = math.pi * CUT**2  # of all frequencies
    seen = fraction * n  # exposures
    error = part / seen
    assert found["umse_noise_variances"] == pytest.approx(
        error, abs=4 * found["umse_noise_variances_error"]
    )
    low = "umse_below_0.15_noise_variances"  # where all of the error is, and less of the noise
    assert found[low] == pytest.approx(error, abs=4 * found[f"{low}_error"])
    assert found[f"{low}_error"] < found["umse_noise_variances_error"]
    power = float(signal.square().mean())
    low = "unmse_below_0.15"
    assert found[low] == pytest.approx(error / power, abs=4 * found[f"{low}_error"])
    assert found["unmse"] == pytest.approx(error / power, abs=4 * found["unmse_error"])
    assert found["upsnr_peak_mean_db"] == pytest.approx(
        10 * math.log10(ELECTRONS / found["umse_noise_variances"])
    )
    # Half of signal minus error, in the units of the held-out part.
    expected = 1000 * (n - seen) * (power - error) / 2
    for band in ("total", "below_0.15"):
        name = f"nats_per_1000_pixels_{band}"
        assert found[name] == pytest.approx(expected, abs=4 * found[f"{name}_error"])
    assert found["nats_per_1000_pixels_above_0.15"] == pytest.approx(0, abs=1e-9)
    assert math.isnan(found["nats_per_1000_pixels_ice_ring"])
    for name in HALF_COLUMNS[:2]:
        assert found[name] == pytest.approx(CUT, abs=0.015)
    half = 2 * part / n  # error of a half
    known = math.sqrt(power / (power + half))
    error = known / 2 * (2 / n / N / power)  # of the power that the recorded halves share
    assert found["correlation_from_halves"] == pytest.approx(known, abs=3 * error)
    # The residual lacks the noise that passed.
    assert found["residual_variance"] == pytest.approx(1 - part, abs=4 * math.sqrt(2) / N)
    assert found["residual_deviation"] == pytest.approx(math.sqrt(part), rel=0.1)
    assert found["residual_p_value"] < 1e-12


def test_a_method_that_invents_the_same_in_both_halves_is_found_out_by_the_raw_half(generator):
    _, stack = exposures(generator)
    invented = 0.3 * torch.randn(N, N, generator=generator, dtype=torch.float64)

    def liar(stack, electrons, generator=None):
        return filtered(stack, electrons) + invented

    found = held_out_table(liar, stack, ELECTRONS, generator, columns=HALF_COLUMNS)
    halves, raw, correlated = (found[name] for name in HALF_COLUMNS)
    assert correlated < 0.7
    assert halves == 0.5
    assert raw == pytest.approx(CUT, abs=0.015)


def test_the_residual_of_the_truth_is_white(generator):
    signal, stack = exposures(generator, 3)
    found = held_out_table(lambda *_: signal, stack, ELECTRONS, generator, columns=RESIDUAL_COLUMNS)
    assert found["residual_variance"] == pytest.approx(1, abs=4 * math.sqrt(2) / N)
    assert found["residual_chi2_per_ring"] == pytest.approx(1, abs=4 * math.sqrt(2 / 33))
    assert found["residual_p_value"] > 0.001
    assert found["residual_deviation"] < 0.05


@pytest.mark.parametrize("n", [1, 5])
def test_differences_of_the_error_are_those_of_the_likelihood(n, generator):
    _, stack = exposures(generator, n)
    tables = [
        held_out_table(method, stack, ELECTRONS, torch.Generator().manual_seed(3), block=32)
        for method in (filtered, lambda *_: torch.zeros(N, N))
    ]
    error, nats = (
        tables[0][name] - tables[1][name]
        for name in ("umse_noise_variances", "nats_per_1000_pixels_total")
    )
    assert error == pytest.approx(-2 * nats / 1000 / (0.2 * n), rel=1e-6)
    assert tables[1]["nats_per_1000_pixels_total"] == 0
    assert tables[1]["unmse"] == pytest.approx(1, abs=1e-3)


def test_edges_that_both_halves_share_are_no_agreement(generator):
    """A slope over the image, which a filter that mirrors at edges leaves, and noise."""
    slope = torch.linspace(-0.5, 0.5, N, dtype=torch.float64).expand(N, N)
    stack = slope + torch.randn(1, N, N, generator=generator, dtype=torch.float64)

    def mirrored(stack, electrons, generator=None):
        image = stack.mean(0)
        both = torch.cat([image, image.flip(-1)], -1)
        both = torch.cat([both, both.flip(-2)], -2)
        q = torch.hypot(torch.fft.fftfreq(2 * N)[:, None], torch.fft.rfftfreq(2 * N)[None])
        return apply_transfer(both, torch.exp(-((q / 0.03) ** 2)))[:N, :N]

    found = held_out_table(mirrored, stack, ELECTRONS, generator, columns=HALF_COLUMNS[:2])
    assert max(found.values()) < 0.05
    halves = (mirrored(part.exposures, 15.0) for part in part_exposures(stack, ELECTRONS))
    periodic = ring_correlation(ring_products(*halves, 32))
    assert agreed_frequency(periodic, 0.143) > 0.2


def test_splits_do_not_depend_on_what_a_method_draws():
    _, stack = exposures(torch.Generator().manual_seed(1))

    def restless(stack, electrons, generator):
        torch.randn(5, generator=generator)
        return filtered(stack, electrons)

    found = [
        held_out_table(method, stack, ELECTRONS, torch.Generator().manual_seed(2))
        for method in (filtered, restless)
    ]
    assert found[0] == pytest.approx(found[1], nan_ok=True)


def test_a_method_runs_for_wanted_columns_only(generator):
    calls = []

    def counting(stack, electrons, generator):
        calls.append(electrons)
        return stack.mean(0)

    stack = torch.randn(1, 32, 32, generator=generator)
    found = held_out_table(counting, stack, 10.0, generator, columns=ERROR_COLUMNS[:1])
    assert list(found) == ["umse_noise_variances"]
    assert calls == [pytest.approx(8.0)]
    held_out_table(counting, stack, 10.0, generator, columns=HALF_COLUMNS)
    assert calls[1:] == [pytest.approx(5.0)] * 2
    with pytest.raises(ValueError, match=r"columns must be of .*; got upsnr"):
        held_out_table(counting, stack, 10.0, generator, columns=["upsnr"])


def test_the_ring_of_ice_is_a_band_where_the_pixel_size_is_known(generator):
    _, stack = exposures(generator)
    found = held_out_table(filtered, stack, ELECTRONS, generator, pixel_size=1.0)
    assert found["nats_per_1000_pixels_ice_ring"] == pytest.approx(0, abs=1e-9)
