"""Biases for losses that are not quadratic.

``python -m experiments.poisson_gradients.nonquadratic``. One pixel: every expectation is a sum over
its counts, nothing is drawn.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from experiments._base.results import markdown_table, write_readme

HERE = Path(__file__).parent
RATES = (0.1, 0.3, 1.0, 3.0, 10.0, 20.0)  # electrons/pixel
TARGET = 5.0  # of the loss, above twice the rate, so that no gradient is near 0
MAX_COUNT = 120

LOSSES: dict[str, Callable[[Tensor, float], Tensor]] = {
    "Anscombe, (2√(C + 3/8) − 2√(t + 3/8))²": lambda c, t: (
        2 * torch.sqrt(c + 3 / 8) - 2 * (t + 3 / 8) ** 0.5
    ).square(),
    "logarithm, (ln(C + 1) − ln(t + 1))²": lambda c, t: (
        torch.log1p(c) - torch.log1p(torch.tensor(t))
    ).square(),
    "cubic, (C − t)³": lambda c, t: (c - t) ** 3,
}
# Offsets u and weights w of one pixel: the mean of w f'(C + u), at C = 0 and above.
AT_ZERO = ((0.0, 1 / 6), (0.5, 4 / 6), (1.0, 1 / 6))
ABOVE = ((0.0, 1.0), (0.5, 0.5), (-0.5, -0.5))


def mean_gradients(loss: Callable[[Tensor, float], Tensor], rate: float) -> dict[str, float]:
    """Exact derivative of the expected loss, and the means of the estimators."""
    target = 2 * rate + TARGET
    counts = torch.arange(MAX_COUNT, dtype=torch.float64)
    level = torch.tensor(rate, dtype=torch.float64)
    chance = torch.exp(torch.xlogy(counts, level) - level - torch.lgamma(counts + 1))

    def slope(at: Tensor) -> Tensor:
        leaf = at.clone().requires_grad_()
        return torch.autograd.grad(loss(leaf, target).sum(), leaf)[0]

    step = torch.stack([w * slope(counts.clamp(min=1) + u) for u, w in ABOVE]).sum(0)
    step[0] = sum(w * slope(counts[:1] + u)[0] for u, w in AT_ZERO)
    return {
        "exact": float((chance * (loss(counts + 1, target) - loss(counts, target))).sum()),
        "straight_through": float((chance * slope(counts)).sum()),
        "gaussian": float((chance * slope(counts) * (1 + (counts - level) / (2 * level))).sum()),
        "measure_valued": float((chance * step).sum()),
    }


def main() -> None:
    """Compute, print, keep."""
    rows = []
    for name, loss in LOSSES.items():
        means = [mean_gradients(loss, rate) for rate in RATES]
        for estimator in ("straight_through", "gaussian", "measure_valued"):
            biases = [100 * (each[estimator] / each["exact"] - 1) for each in means]
            rows.append([name, estimator, *(f"{bias:+.1f} %" for bias in biases)])
            name = ""
    table = markdown_table(["loss", "estimator", *(f"λ = {rate:g}" for rate in RATES)], rows)
    print(table)
    write_readme(HERE, "nonquadratic.py", table)


if __name__ == "__main__":
    main()
