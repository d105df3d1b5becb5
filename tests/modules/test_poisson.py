import pytest
import torch

from difftem.modules import PoissonLayer


def test_counts_carry_a_gradient_for_pathwise_estimators(generator):
    for estimator in ("gaussian", "straight_through"):
        rate = torch.full((4, 5), 6.0, requires_grad=True)
        counts = PoissonLayer(estimator)(rate, generator)
        assert (counts == counts.round()).all()
        counts.sum().backward()
        assert rate.grad.isfinite().all() and rate.grad.abs().sum() > 0


def test_estimators_that_need_the_loss_say_so(generator):
    layer = PoissonLayer("measure_valued")
    rate = torch.full((4, 5), 6.0, requires_grad=True)
    with pytest.raises(ValueError, match="use poisson_expectation"):
        layer(rate, generator)
    with torch.no_grad():
        assert layer(rate, generator).shape == (4, 5)  # sampling alone is possible
    layer.expectation(lambda c: c.pow(2).flatten(1).sum(1), rate, 3, generator).backward()
    # d/dλ (λ + λ²) = 1 + 2 λ, by a few samples.
    assert rate.grad.mean().item() == pytest.approx(13, rel=0.3)


def test_layer_draws_the_same_counts_with_and_without_gradients():
    rate = torch.full((20,), 3.0)
    plain = PoissonLayer()(rate, torch.Generator().manual_seed(4))
    traced = PoissonLayer()(rate.requires_grad_(), torch.Generator().manual_seed(4))
    assert torch.equal(plain, traced)


def test_unknown_estimator_is_named():
    with pytest.raises(ValueError, match="got 'reinforce'"):
        PoissonLayer("reinforce")
