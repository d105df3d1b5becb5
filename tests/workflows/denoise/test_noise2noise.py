import pytest
import torch

from difftem.io.weights import write_weights
from difftem.networks import Noise2NoiseUNet
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.noise2noise import noise2noise


@pytest.fixture
def network(tmp_path):
    """Weights of a small network in a file, and the network."""
    torch.manual_seed(0)
    network = Noise2NoiseUNet(channels=4, levels=2, last=(4, 4))
    account = {"network": {"class": "Noise2NoiseUNet", "config": network.config}}
    write_weights(tmp_path / "mine.safetensors", network.state_dict(), account)
    return tmp_path / "mine.safetensors", network


def test_the_network_sees_the_sum_with_unit_noise_and_gives_an_exposure(
    network, monkeypatch, generator
):
    path, module = network
    exposures = torch.randn(4, 40, 50, generator=generator)
    with torch.no_grad():
        expected = module(2 * exposures.mean(0)[None, None])[0, 0] / 2
    torch.testing.assert_close(noise2noise(exposures, 5.0, weights=path), expected)
    torch.testing.assert_close(METHODS["noise2noise"].load(str(path))(exposures, 5.0), expected)
    monkeypatch.setenv("DIFFTEM_NOISE2NOISE", str(path))
    torch.testing.assert_close(METHODS["noise2noise"].load()(exposures, 5.0, None), expected)


def test_large_images_are_run_in_tiles_without_seams(network, generator):
    path, module = network
    image = torch.randn(1, 1100, 64, generator=generator)
    with torch.no_grad():
        whole = module(image[None])[0, 0]
    torch.testing.assert_close(noise2noise(image, 5.0, weights=path), whole)
