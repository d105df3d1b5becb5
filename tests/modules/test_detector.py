import numpy as np
import pytest
import torch

from difftem.analysis.spectrum import power_spectrum
from difftem.functional.grid import frequency_grid, radius
from difftem.modules import Detector, GaussLorentzSincMTF, IdealMTF, LorentzianMTF, RullgardMTF
from difftem.presets import detector_presets


def test_noise_power_spectrum_is_the_rate_filtered_by_the_mtf_plus_the_read_noise(generator):
    # λ g² H² + σ² in each ring: chi-square of periodogram ordinates, each exponential.
    rate, gain, sigma, n, shape = 30.0, 2.0, 5.0, 200, (32, 32)
    detector = Detector(LorentzianMTF(), gain=gain, read_noise=sigma).double()
    counts = torch.poisson(torch.full((n, *shape), rate).double(), generator=generator)
    spectrum = power_spectrum(detector(counts, generator=generator)).mean(0)
    q = radius(frequency_grid(shape, 1.0, half=True))
    w2 = q**2
    h = 0.7 / (1 + 10 * w2) + 0.2 / (1 + 40 * w2) + 0.1
    ratio = spectrum / (rate * gain**2 * h**2 + sigma**2)
    # Columns 1 ... 15 hold independent pairs.
    for low in np.arange(0.04, 0.66, 0.04):
        ring = (q >= low) & (q < low + 0.04)
        ring[:, 0] = ring[:, -1] = False
        samples = int(ring.sum()) * n
        assert samples > 500 or low > 0.6
        if samples:
            deviation = (ratio[ring].mean().item() - 1) * samples**0.5
            assert abs(deviation) < 5


def test_mean_is_gain_times_rate_plus_dark(generator):
    detector = Detector(LorentzianMTF(), gain=2.5, dqe0=0.4, dark=11.0, read_noise=1.0).double()
    expected = torch.full((200, 16, 16), 20.0).double()
    counts = torch.poisson(detector.rate(expected), generator=generator)
    micrograph = detector(counts, expected, generator)
    standard_error = (2.5**2 * 8 + 1) ** 0.5 / (200 * 256) ** 0.5
    assert micrograph.mean().item() == pytest.approx(2.5 * 8 + 11, abs=5 * standard_error)
    flat = torch.full((16, 16), 31.0).double()
    torch.testing.assert_close(detector.expected(expected[0]), flat)


@pytest.mark.parametrize("dqe", [0.3, 0.8, 1.0])
def test_signal_to_noise_ratio_squared_falls_by_the_dqe(dqe, generator):
    n, low, high = 40_000, 20.0, 24.0
    detector = Detector(dqe0=dqe, gain=3.0).double()
    images = []
    for rate in (low, high):
        counts = torch.poisson(
            detector.rate(torch.full((n, 1, 1), rate).double()), generator=generator
        )
        images.append(detector(counts))
    signal = images[1].mean() - images[0].mean()
    snr2 = signal**2 / images[0].var()
    error = 2 * ((low + high) / n / dqe) ** 0.5 / (high - low)
    assert snr2.item() == pytest.approx(dqe * (high - low) ** 2 / low, rel=5 * error)


def test_noise_has_its_own_transfer_function_and_the_signal_keeps_the_mtf(generator):
    shape, n, rate = (16, 16), 3000, 25.0
    y = torch.arange(16, dtype=torch.float64)
    wave = torch.cos(2 * torch.pi * 4 * y / 16)[:, None].expand(shape)  # 0.25 cycles/pixel
    expected = (rate + 5 * wave).expand(n, *shape)
    ntf = RullgardMTF(0.2, 0.1, 1.0)
    detector = Detector(LorentzianMTF(), ntf).double()
    counts = torch.poisson(detector.rate(expected), generator=generator)
    micrograph = detector(counts, expected)
    h_signal = 0.7 / (1 + 10 / 16) + 0.2 / (1 + 40 / 16) + 0.1
    amplitude = 2 * (micrograph.mean(0) * wave).mean()
    assert amplitude.item() == pytest.approx(5 * h_signal, abs=5 * (2 * rate / n / 256) ** 0.5)
    spectrum = power_spectrum(micrograph - detector.expected(expected)).mean(0)
    h_noise = (0.2 / (1 + 10 / 16) + 0.1 / (1 + 40 / 16) + 1) / 1.3
    assert h_noise > 1.3 * h_signal
    measured = spectrum[0, 4].item() / rate  # along x, where the image is flat
    assert measured == pytest.approx(h_noise**2, rel=5 / n**0.5)
    with pytest.raises(ValueError, match="needs the expected counts"):
        detector(counts)


@pytest.mark.parametrize("name", ["k2_300kv", "k3_300kv"])
def test_a_counting_camera_has_white_noise_of_whole_counts(name, generator):
    detector = Detector.from_preset(name)
    expected = torch.full((40, 128, 128), 20.0)
    counts = torch.poisson(detector.rate(expected), generator=generator)
    image = detector(counts, expected)
    assert torch.equal(image, image.round())
    assert image.var().item() / image.mean().item() == pytest.approx(1, abs=0.01)
    spectrum, q = power_spectrum(image).mean(0), radius(frequency_grid((128, 128), 1.0, half=True))
    at = [spectrum[(q - f).abs() < 0.02].mean() for f in (0.48, 0.25, 0.1)]
    assert (at[0] / at[1]).item() == pytest.approx(1, abs=0.02)
    assert (at[2] / at[1]).item() == pytest.approx(1, abs=0.03)


def test_a_falcons_noise_falls_as_in_a_real_micrograph(generator):
    # 0.48 over 0.25 cycles/pixel: 0.073 to 0.077 in a real one, 0.0766 by the published curve.
    detector = Detector.from_preset("falcon3ec_300kv")
    expected = torch.full((60, 256, 256), 20.0)
    counts = torch.poisson(detector.rate(expected), generator=generator)
    spectrum = power_spectrum(detector(counts, expected)).mean(0)
    q = radius(frequency_grid((256, 256), 1.0, half=True))
    high, middle = (spectrum[(q - f).abs() < 0.01].mean() for f in (0.48, 0.25))
    assert (high / middle).item() == pytest.approx(0.0766, abs=0.0015)


def test_a_count_lands_in_a_pixel_of_the_signals_spread(generator):
    # A sharp peak: the counts' mean is the blurred rate, and their variance that mean.
    detector = Detector(LorentzianMTF(), IdealMTF(), gain=2.0, dqe0=0.5, dark=3.0).double()
    expected = torch.full((16, 16), 8.0).double()
    expected[8, 8] = 400.0
    many = expected.expand(4000, 16, 16)
    image = detector(torch.poisson(detector.rate(many), generator=generator))
    blurred = Detector(LorentzianMTF()).double().expected(expected) / 2
    torch.testing.assert_close(detector.expected(expected), 2 * blurred + 3)
    counts = (image - 3) / 2
    assert ((counts.mean(0) - blurred) * (4000 / blurred).sqrt()).abs().max() < 5
    assert (counts.var(0) / blurred - 1).abs().max() < 5 * (2 / 4000 + 1 / 4000) ** 0.5


def test_no_rate_is_negative_beside_a_peak_of_a_curve_that_ends_sharply():
    expected = torch.zeros(32, 32)
    expected[16, 16] = 1e4
    detector = Detector(GaussLorentzSincMTF(weight=1.0, width=2.0), IdealMTF())
    ringing = Detector(GaussLorentzSincMTF(weight=1.0, width=2.0)).expected(expected)
    assert ringing.min() < -1
    assert detector.rate(expected).min() == 0
    torch.testing.assert_close(detector.expected(expected), ringing.clamp(min=0))


def test_same_mtf_and_ntf_is_one_blur(generator):
    expected = 10 + torch.rand(9, 12, generator=generator, dtype=torch.float64)
    counts = torch.poisson(expected, generator=generator)
    two = Detector(LorentzianMTF(), LorentzianMTF(), gain=2.0).double()(counts, expected)
    one = Detector(LorentzianMTF(), gain=2.0).double()(counts)
    torch.testing.assert_close(two, one)


def test_ideal_detector_gives_the_counts(generator):
    counts = torch.poisson(torch.full((5, 6), 3.0), generator=generator)
    torch.testing.assert_close(Detector()(counts), counts)
    assert isinstance(Detector().mtf, IdealMTF)


@pytest.mark.parametrize("name", detector_presets())
def test_preset_detector_has_its_gain_at_low_frequency(name):
    detector = Detector.from_preset(name)
    assert detector.mtf(torch.zeros(1)).item() == pytest.approx(1, abs=1e-6)
    flat = detector.expected(torch.full((8, 8), 10.0))
    expected = 10 * detector.gain * detector.dqe0 + detector.dark
    torch.testing.assert_close(flat, expected.expand(8, 8).float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("direction", [-1.0, 1.0])
def test_positive_quantities_stay_positive_after_huge_optimiser_steps(direction):
    names = ("gain", "dqe0", "read_noise")
    mtf = GaussLorentzSincMTF(learnable=("weight", "width", "alpha"))
    detector = Detector(mtf, gain=2.0, dqe0=0.5, read_noise=1.0, learnable=names)
    optimiser = torch.optim.SGD(detector.parameters(), lr=10.0)
    for _ in range(3):
        optimiser.zero_grad()
        values = [getattr(detector, n) for n in names]
        values += [getattr(mtf, n) for n in ("weight", "width", "alpha")]
        (direction * sum(v / v.detach().clamp(min=1e-3) for v in values)).backward()
        optimiser.step()
    for owner, name in [*((detector, n) for n in names), (mtf, "width"), (mtf, "alpha")]:
        assert getattr(owner, name) > 0 or getattr(owner, name).log().isneginf(), name
    assert 0 <= detector.dqe0 <= 1
    assert 0 <= mtf.weight <= 1


def test_impossible_quantities_are_refused():
    for given in ({"gain": -1.0}, {"read_noise": -0.1}):
        with pytest.raises(ValueError, match="must not be negative"):
            Detector(**given)
    with pytest.raises(ValueError, match="dqe0 must be between 0 and 1"):
        Detector(dqe0=1.2)
    with pytest.raises(ValueError, match="gain must be finite"):
        Detector(gain=float("nan"))
    with pytest.raises(ValueError, match=r"cannot learn noise; quantities are gain, dqe0"):
        Detector(learnable=("noise",))
