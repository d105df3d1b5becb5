"""Gradients of E‖y - h * C‖² with respect to the rate of C, by several estimators."""

from collections.abc import Callable

import torch
from torch import Tensor

from difftem.functional.mtf import apply_transfer
from difftem.functional.poisson import Estimator, poisson_expectation

Gradient = Callable[[Tensor, Tensor, Tensor, int, torch.Generator], Tensor]


def exact(rate: Tensor, target: Tensor, transfer: Tensor) -> Tensor:
    """Differentiate ‖y - h λ‖² + ‖h‖² Σ λ."""
    residual = apply_transfer(rate, transfer) - target
    delta = torch.zeros_like(rate)
    delta[0, 0] = 1.0
    return 2 * apply_transfer(residual, transfer) + apply_transfer(delta, transfer).square().sum()


def named(estimator: Estimator) -> Gradient:
    """Estimator of `difftem.functional.poisson`."""

    def gradient(
        rate: Tensor, target: Tensor, transfer: Tensor, samples: int, generator: torch.Generator
    ) -> Tensor:
        leaf = rate.clone().requires_grad_()

        def loss(counts: Tensor) -> Tensor:
            return (apply_transfer(counts, transfer) - target).square().sum((-2, -1))

        poisson_expectation(loss, leaf, estimator, samples, generator).backward()
        return leaf.grad if leaf.grad is not None else torch.zeros_like(leaf)

    return gradient


def own_pixel(leave_one_out: bool) -> Gradient:
    """Each pixel's own loss times its score, as the DiffTEM paper has it.

    The blur is ignored: what a count adds to its neighbours' losses is missing.
    """

    def gradient(
        rate: Tensor, target: Tensor, transfer: Tensor, samples: int, generator: torch.Generator
    ) -> Tensor:
        counts = torch.poisson(rate.expand(samples, *rate.shape), generator=generator)
        losses = (apply_transfer(counts, transfer) - target).square()
        if leave_one_out:
            baseline = (losses.sum(0) - losses) / (samples - 1)
        else:
            baseline = losses.mean((-2, -1), keepdim=True)
        score = counts / rate - 1
        return ((losses - baseline) * score).mean(0)

    return gradient


ESTIMATORS: dict[str, Gradient] = {
    "the paper's: own pixel's loss, image-mean baseline": own_pixel(leave_one_out=False),
    "the same, leave-one-out baseline": own_pixel(leave_one_out=True),
    "score_function": named("score_function"),
    "score_function_loo": named("score_function_loo"),
    "straight_through": named("straight_through"),
    "gaussian": named("gaussian"),
    "measure_valued": named("measure_valued"),
}
