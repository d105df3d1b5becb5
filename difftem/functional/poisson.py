"""Electron counting: Poisson sampling and gradients through it."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor

Estimator = Literal[
    "gaussian", "straight_through", "measure_valued", "score_function", "score_function_loo"
]
ESTIMATORS: tuple[str, ...] = get_args(Estimator)
PATHWISE: tuple[str, ...] = ("gaussian", "straight_through")


def sample_poisson(
    rate: Tensor,  # (..., y, x) e/pixel
    estimator: Estimator = "gaussian",
    generator: torch.Generator | None = None,
) -> Tensor:  # (..., y, x) counts
    r"""Draw Poisson counts that carry a pathwise gradient to their rate.

    .. math:: \frac{\partial C}{\partial\lambda} := 1 \quad\text{(straight_through)}, \qquad
              \frac{\partial C}{\partial\lambda} := 1 + \frac{C - \lambda}{2\lambda}
              \quad\text{(gaussian)}

    The second is the derivative of :math:`\lambda + \sqrt\lambda z` at the z that was drawn: its
    expectation is exact for losses up to quadratic in the counts. At a rate of 0, where no count
    tells of the curvature, both are 1.

    Parameters
    ----------
    rate : Tensor
        Expected counts λ >= 0, shape ``(..., y, x)``.
    estimator : {"gaussian", "straight_through"}
        How the counts depend on the rate in the backward pass.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    Tensor
        Integers in the dtype of `rate`.

    Raises
    ------
    ValueError
        If the estimator has no pathwise form; use `poisson_expectation` for those.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.poisson import sample_poisson
    >>> rate = torch.full((256, 256), 20.0)  # electrons per pixel
    >>> counts = sample_poisson(rate, generator=torch.Generator().manual_seed(0))
    >>> round((counts.var() / counts.mean()).item(), 1)  # of counted electrons: 1
    1.0
    """
    if estimator not in PATHWISE:
        raise ValueError(
            f"estimator {estimator!r} needs the loss: use poisson_expectation, or one of "
            f"{', '.join(PATHWISE)}"
        )
    return _PathwisePoisson.apply(rate, estimator == "gaussian", generator)


def poisson_expectation(
    loss: Callable[[Tensor], Tensor],  # (s, ..., y, x) counts -> (s,)
    rate: Tensor,  # (..., y, x) e/pixel
    estimator: Estimator = "gaussian",
    n_samples: int = 2,
    generator: torch.Generator | None = None,
) -> Tensor:  # ()
    r"""Monte Carlo mean of a loss over Poisson counts, with a named gradient estimator.

    ==================== ==================================================================
    ``score_function``   :math:`f(C)\, \partial_\lambda \log p(C|\lambda)`: unbiased for any
                         loss, variance grows with the number of pixels
    ``..._loo``          the same with the mean of the other samples' losses as baseline
    ``straight_through`` :math:`\partial C/\partial\lambda = 1`: misses the curvature of f
    ``gaussian``         pathwise, see `sample_poisson`
    ``measure_valued``   :math:`\partial_\lambda E f(C) = E[f(C + 1) - f(C)]` per pixel, to
                         second order in the step with one random probe per sample, which
                         steps up from 0: the loss is never taken at a negative count
    ==================== ==================================================================

    The last two are unbiased for losses up to quadratic in the counts. Pixels of rate 0 get the
    gradient of ``measure_valued`` from all but ``straight_through``: a count of 0 says nothing of
    what one electron would do.

    Parameters
    ----------
    loss : callable
        Maps counts of shape ``(n_samples, ..., y, x)`` to one loss per sample ``(n_samples,)``.
    rate : Tensor
        Expected counts λ >= 0, shape ``(..., y, x)``.
    estimator : str
        One of `ESTIMATORS`.
    n_samples : int
        Samples; at least 2 for ``score_function_loo``.
    generator : torch.Generator, optional
        Source of randomness.

    Returns
    -------
    Tensor
        The mean loss; its gradient with respect to `rate`, and to whatever else the loss
        depends on, is the estimator's.

    Raises
    ------
    ValueError
        For an unknown estimator or too few samples.

    References
    ----------
    Mohamed et al., J. Mach. Learn. Res. 21 (2020) 132, sections 4-6; Kool et al., ICLR workshop
    (2019) for the leave-one-out baseline.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.poisson import poisson_expectation
    >>> rate = torch.tensor([4.0], requires_grad=True)
    >>> generator = torch.Generator().manual_seed(0)
    >>> loss = lambda counts: counts.square().sum(-1)  # its mean is λ² + λ
    >>> value = poisson_expectation(loss, rate, n_samples=100_000, generator=generator)
    >>> value.backward()
    >>> round(value.item()), round(rate.grad.item())  # 20, and the slope 2 λ + 1
    (20, 9)
    """
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, got {estimator!r}")
    needed = 2 if estimator == "score_function_loo" else 1
    if n_samples < needed:
        raise ValueError(f"{estimator} needs at least {needed} samples, got {n_samples}")
    rates = rate.expand(n_samples, *rate.shape)
    if estimator == "straight_through":
        return loss(sample_poisson(rates, estimator, generator)).mean()
    empty = rates.detach() == 0
    of_empty = torch.where(empty, rates, rates.detach())
    rates = torch.where(empty, rates.detach(), rates) if bool(empty.any()) else rates
    if estimator == "gaussian":
        counts = sample_poisson(rates, estimator, generator)
        value = loss(counts).mean()
        if bool(empty.any()):
            value = value + _finite_difference(loss, of_empty, counts.detach(), generator)
        return value
    counts = torch.poisson(rates.detach(), generator=generator)
    if estimator == "measure_valued":
        return loss(counts).mean() + _finite_difference(
            loss, rate.expand_as(counts), counts, generator
        )
    losses = loss(counts)
    advantage = losses.detach()
    if estimator == "score_function_loo":
        advantage = advantage - (advantage.sum() - advantage) / (n_samples - 1)
    log_probability = torch.xlogy(counts, torch.where(empty, 1.0, rates)) - rates
    surrogate = advantage * log_probability.flatten(1).sum(1)
    value = (losses + surrogate - surrogate.detach()).mean()
    if bool(empty.any()):
        value = value + _finite_difference(loss, of_empty, counts, generator)
    return value


def _finite_difference(
    loss: Callable[[Tensor], Tensor],
    rates: Tensor,
    counts: Tensor,
    generator: torch.Generator | None,
) -> Tensor:  # ()
    """Zero, with the gradient f(C + e) - f(C) = grad f + half the curvature for the rates.

    A pixel's own slope changes by u H_ii where it moves by u; those of all others add noise, which
    a random weight c of mean 0 takes out: E[c u] = 1/2. A count moves by half a step up or down. 0
    only moves up, by 0, 1/2 and 1 such that the mean is Simpson's rule for f(1) - f(0).
    """
    chance = torch.rand(counts.shape, generator=generator, dtype=counts.dtype, device=counts.device)
    weight = torch.where(chance < 0.5, 1.0, -1.0)
    move = torch.where(counts == 0, (chance < 0.5) * 0.5 + (chance < 0.1) * 0.5, weight / 2)
    weight = torch.where(counts == 0, 5 / 3 * weight, weight).to(counts)
    here, there = (c.detach().requires_grad_() for c in (counts, counts + move))
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(loss(here).sum(), here)
        (moved,) = torch.autograd.grad(loss(there).sum(), there)
    difference = slope + weight * (moved - slope)
    surrogate = (difference.detach() * rates).flatten(1).sum(1).mean()
    return surrogate - surrogate.detach()


class _PathwisePoisson(torch.autograd.Function):
    """Poisson counts with a stated derivative with respect to the rate."""

    @staticmethod
    def forward(
        ctx: Any, rate: Tensor, reparametrised: bool, generator: torch.Generator | None
    ) -> Tensor:
        counts = torch.poisson(rate, generator=generator)
        ctx.reparametrised = reparametrised
        if reparametrised:
            ctx.save_for_backward(rate, counts)
        return counts

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        if not ctx.reparametrised:
            return grad, None, None
        rate, counts = ctx.saved_tensors
        tiny = torch.finfo(rate.dtype).tiny
        return grad * (1 + (counts - rate) / (2 * torch.clamp(rate, min=tiny))), None, None
