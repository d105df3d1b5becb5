import pytest
import torch

from difftem.presets import detector_preset
from experiments.detector_presets.noise import MICROGRAPHS, crops, dqe, noise_ratios


def test_ratios_are_those_of_a_known_spectrum(generator):
    white = torch.randn(60, 256, 256, generator=generator, dtype=torch.float64)
    neighbours = white + white.roll(1, -1)  # power 2 + 2 cos 2πx, over the ring 2 + 2 J0(2πq)
    j0 = 2 + 2 * torch.special.bessel_j0(2 * torch.pi * torch.tensor([0.48, 0.25, 0.30, 0.15]))
    expected = (j0[0] / j0[1:]).tolist()
    assert noise_ratios(neighbours) == pytest.approx(expected, rel=0.02)
    assert noise_ratios(white, "hann") == pytest.approx([1, 1, 1], abs=0.04)


def test_white_noise_makes_the_dqe_fall_with_the_squared_mtf():
    curve = detector_preset("k3_300kv")["mtf"]["parameters"]["log_mtf"][-1]
    at_nyquist = 0.9 * torch.exp(torch.tensor(2 * curve)).item()
    assert dqe("k3_300kv")[::2] == pytest.approx([0.9, at_nyquist], rel=1e-4)
    assert dqe("falcon3ec_300kv") == pytest.approx([0.9] * 3)


def test_a_real_k2_is_white_beside_the_ring_of_its_ice(shared_data):
    images = crops(shared_data / "micrographs" / MICROGRAPHS["k2_300kv"])
    in_ring, beside, low = noise_ratios(images, "hann")
    assert in_ring == pytest.approx(0.92, abs=0.01)
    assert (beside, low) == pytest.approx((1, 1), abs=0.01)
