"""What every method does, whatever it is."""

import pytest
import torch

from difftem.baselines.average import average
from difftem.baselines.block_matching import bm3d, bmnd
from difftem.baselines.gaussian import gaussian
from difftem.baselines.map_estimate import maximum_a_posteriori
from difftem.baselines.pure_let import pure_let
from difftem.baselines.vst import vst
from difftem.baselines.wavelets import wavelets
from difftem.baselines.wiener import wiener
from tests.helpers.random_field import mean_over_frequencies, random_field

# How near a method comes, in an image of some forty signal ordinates, to the least error that a
# linear filter can have that knows the spectrum; the average takes none off.
NEARNESS = {
    average: None,
    gaussian: 1.3,
    wiener: 1.3,
    maximum_a_posteriori: 2,
    vst: 2,
    wavelets: 1.6,
    pure_let: 1.6,
    bmnd: 1.8,
    bm3d: 1.5,
}
PACKAGE = {vst: "skimage", wavelets: "skimage", bmnd: "bmnd", bm3d: "bm3d"}


@pytest.fixture(params=NEARNESS, ids=lambda method: method.__name__)
def method(request):
    """Each method whose package is there."""
    if request.param in PACKAGE:
        pytest.importorskip(PACKAGE[request.param])
    return request.param


ELECTRONS = 12.0


def exposures_of(truth, n, generator):
    """Poisson counts of a whitened truth, whitened."""
    counts = torch.poisson((ELECTRONS + truth * ELECTRONS**0.5).expand(n, -1, -1), generator)
    return (counts - ELECTRONS) / ELECTRONS**0.5


def blobs(q):
    return 60 / (1 + (q / 0.02) ** 4)


@pytest.mark.parametrize("n", [1, 4])
def test_an_estimate_is_near_to_the_truth(method, n, generator):
    truth = random_field(blobs, (80, 97), generator)
    exposures = exposures_of(truth, n, generator)
    before = exposures.clone()
    estimate = method(exposures, ELECTRONS)
    assert torch.equal(exposures, before)
    assert estimate.shape == truth.shape and estimate.dtype == torch.float32
    error = (estimate - truth).square().mean()
    if method is average:
        assert error.item() == pytest.approx(1 / n, rel=0.05)
    else:
        least = mean_over_frequencies(lambda q: blobs(q) / (1 + n * blobs(q)))
        assert 0.9 * least < error < NEARNESS[method] * least < 0.1 / n
    assert estimate.mean().item() == pytest.approx(exposures.mean().item(), abs=0.02)


def test_an_estimate_is_the_same_twice(method, generator):
    exposures = exposures_of(random_field(blobs, (65, 64), generator), 1, generator)
    assert torch.equal(method(exposures, ELECTRONS), method(exposures, ELECTRONS))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2), (7, 7), (16, 17)])
def test_tiny_images_have_an_estimate(method, shape, generator):
    exposures = exposures_of(torch.zeros(shape), 2, generator)
    estimate = method(exposures, ELECTRONS)
    assert estimate.shape == shape and estimate.isfinite().all()
    assert estimate.square().mean() <= 1.5 * exposures.mean(0).square().mean() + 0.01


def test_what_is_no_stack_of_finite_images_is_refused(method):
    for exposures, electrons, words in [
        (torch.zeros(4, 4), 1.0, r"stack \(n, y, x\), got \(4, 4\)"),
        (torch.zeros(0, 4, 4), 1.0, r"got \(0, 4, 4\)"),
        (torch.zeros(1, 4, 4), 0.0, "electrons must be positive, got 0.0 per pixel"),
        (torch.full((1, 4, 4), torch.nan), 1.0, "exposures must be finite"),
    ]:
        with pytest.raises(ValueError, match=words):
            method(exposures, electrons)
