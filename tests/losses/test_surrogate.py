import pytest
import torch

from difftem.functional.mtf import apply_transfer
from difftem.functional.wave_fit import expected_squared_error, optimal_rate, spread_energy
from difftem.losses.surrogate import (
    SURROGATE_ESTIMATORS,
    exposure_target,
    min_max,
    surrogate_loss,
)
from difftem.modules import LorentzianMTF

SHAPE = (14, 12)


def blur(shape):
    return LorentzianMTF().transfer(shape, torch.zeros(1)).detach()


def gradient(rate, y, estimator, samples, generator, **options):
    rate = rate.clone().requires_grad_()
    target = exposure_target(y, normalise=options.pop("normalise", False))
    loss = surrogate_loss(
        rate,
        target,
        blur(rate.shape),
        estimator=estimator,
        samples=samples,
        generator=generator,
        **options,
    )
    (slope,) = torch.autograd.grad(loss, rate)
    return float(loss.detach()), slope


def scene(generator, shape=SHAPE):
    """A rate, and two exposures of it behind the camera."""
    rate = 20 + 10 * torch.rand(shape, generator=generator)
    counts = torch.poisson(rate.expand(2, *shape), generator=generator)
    return rate, apply_transfer(counts, blur(shape))


@pytest.mark.parametrize("estimator", SURROGATE_ESTIMATORS)
def test_the_loss_is_the_expected_squared_error(estimator, generator):
    rate, exposures = scene(generator)
    found, _ = gradient(rate, exposures, estimator, 400, generator)
    expected = float(expected_squared_error(rate, exposures, blur(SHAPE)))
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("estimator", SURROGATE_ESTIMATORS)
def test_estimators_have_the_gradient_of_the_expected_error_but_the_papers(estimator, generator):
    rate, exposures = scene(generator, (3, 4))
    batches = torch.stack(
        [gradient(rate, exposures, estimator, 2000, generator)[1] for _ in range(40)]
    )
    leaf = rate.clone().requires_grad_()
    (exact,) = torch.autograd.grad(expected_squared_error(leaf, exposures, blur((3, 4))), leaf)
    if estimator == "straight_through":  # misses what the noise of the counts costs
        exact = exact - spread_energy(blur((3, 4)), (3, 4))
    error = (batches.mean(0) - exact).abs()
    wrong = bool((error > 4 * batches.std(0) / len(batches) ** 0.5).any())
    assert wrong == (estimator == "own_pixel")


def test_the_papers_estimator_misses_the_blur_and_vanishes_at_the_average(generator):
    rate, exposures = scene(generator)
    h = blur(SHAPE)
    middle = float(torch.fft.irfft2(h, s=SHAPE)[0, 0])
    _, found = gradient(rate, exposures, "own_pixel", 10_000, generator)
    expected = 2 * middle * (apply_transfer(rate, h) - exposures.mean(0)) + middle**2
    assert (found - expected).norm() < 0.1 * expected.norm()
    # At the average less half of the blur's middle no gradient is left, but for its noise.
    best = optimal_rate(exposures, h)
    best = best - best.mean() + exposures.mean() - middle / 2
    assert best.min() > 1
    _, rest = gradient(best, exposures, "own_pixel", 10_000, generator)
    assert rest.norm() < 0.1 * expected.norm()
    assert abs(float(rest.mean())) < 0.1 * middle**2


def test_images_between_0_and_1_are_compared_as_such(generator):
    images = torch.rand(2, 3, 5, 7, generator=generator) * 30
    stretched = min_max(images)
    assert stretched.amin((-2, -1)).eq(0).all() and stretched.amax((-2, -1)).eq(1).all()
    target = exposure_target(images[0], normalise=True)
    torch.testing.assert_close(target.average, stretched[0].mean(0))
    some = torch.rand(5, 7, generator=generator)
    direct = (stretched[0] - some).square().mean(0)
    torch.testing.assert_close((target.average - some).square() + target.variance, direct)


def test_what_cannot_be_estimated_is_refused(generator):
    rate, exposures = scene(generator)
    target = exposure_target(exposures, normalise=False)
    with pytest.raises(ValueError, match="estimator must be one of"):
        surrogate_loss(rate, target, estimator="none")
    with pytest.raises(ValueError, match="own_pixel needs at least 1 sample, got 0"):
        surrogate_loss(rate, target, samples=0)
