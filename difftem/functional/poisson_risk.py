"""Poisson's unbiased risk estimate: the error of an estimate of Haar details, without the truth."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

# (sums (y, x), detail (y, x)) -> terms (k, y, x)
Terms = Callable[[Tensor, Tensor], Tensor]


class RiskTerms(NamedTuple):
    """What the risk of a weighted sum of terms is made of.

    Attributes
    ----------
    terms : Tensor
        Shape ``(k, y, x)``.
    matrix, vector : Tensor
        Sums over pixels of products of terms ``(k, k)``, and unbiased estimates of those of terms
        and truth ``(k,)``; float64.
    constant : Tensor
        Unbiased estimate of the sum of the truth's squares; float64.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.poisson_risk import RiskTerms
    >>> matrix, vector, constant = (n * torch.ones(1).double() for n in (4, 3, 5))
    >>> found = RiskTerms(torch.ones(1, 2, 2), matrix[None], vector, constant[0])
    >>> found.risk(torch.tensor([0.75])).item()  # 4 w² - 6 w + 5
    2.75
    """

    terms: Tensor
    matrix: Tensor
    vector: Tensor
    constant: Tensor

    def risk(self, weights: Tensor) -> Tensor:
        """Estimate the sum over pixels of the squared error of ``weights @ terms``."""
        w = weights.double()
        return w @ self.matrix @ w - 2 * w @ self.vector + self.constant


def risk_terms(
    terms: Terms,
    sums: Tensor,  # (y, x)
    detail: Tensor,  # (y, x)
) -> RiskTerms:
    r"""Take the sums that give the risk of every weighted sum of terms.

    For a Poisson count x of expected value λ, :math:`E[\lambda f(x)] = E[x f(x - 1)]` (Hudson). A
    detail is the difference of two counts, d = a - b, that add up to s, so that for its expected
    value δ and any estimate θ

    .. math:: E[\delta\,\theta(s, d)] = E\left[\frac{s + d}{2}\,\theta(s - 1, d - 1)
              - \frac{s - d}{2}\,\theta(s - 1, d + 1)\right], \qquad E[\delta^2] = E[d^2 - s]

    and the squared error has an unbiased estimate that knows no δ.

    Parameters
    ----------
    terms : callable
        Gives the terms for sums and a detail. Of each pixel's own square nothing else may decide
        them.
    sums, detail : Tensor
        s and one of the d of `difftem.functional.haar.haar_analysis`.

    Returns
    -------
    RiskTerms
        Terms, and the sums.

    References
    ----------
    Hudson, Ann. Statist. 6 (1978) 473; Luisier, Vonesch, Blu and Unser, Signal Process. 90 (2010)
    415, theorem 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.poisson_risk import let_weights, risk_terms
    >>> rates = torch.tensor([30.0, 10.0])[:, None, None].expand(2, 64, 64)  # δ is 20
    >>> a, b = torch.poisson(rates, generator=torch.Generator().manual_seed(0))
    >>> found = risk_terms(lambda sums, detail: detail[None], a + b, a - b)
    >>> round(let_weights(found.matrix, found.vector).item(), 2)  # δ² / (δ² + 40)
    0.91
    """
    found = terms(sums, detail)
    less, more = terms(sums - 1, detail - 1), terms(sums - 1, detail + 1)
    guessed = ((sums + detail) * less - (sums - detail) * more) / 2
    flat = found.flatten(1).double()
    return RiskTerms(
        found,
        flat @ flat.T,
        guessed.flatten(1).double().sum(1),
        (detail.double().square() - sums.double()).sum(),
    )


def let_weights(
    matrix: Tensor,  # (k, k)
    vector: Tensor,  # (k,)
) -> Tensor:  # (k,)
    """Weights of least risk: the shortest ones, where terms depend on one another.

    Parameters
    ----------
    matrix, vector : Tensor
        Of `RiskTerms`, or sums of them.

    Returns
    -------
    Tensor
        Shape ``(k,)``, float64.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.poisson_risk import let_weights
    >>> matrix, vector = torch.ones(2, 2).double(), torch.ones(2).double()  # twice the same term
    >>> [round(weight, 3) for weight in let_weights(matrix, vector).tolist()]
    [0.5, 0.5]
    """
    size = matrix.diagonal().clamp(min=0).sqrt()
    size = torch.where(size > 0, size, torch.ones_like(size))
    inverse = torch.linalg.pinv(matrix / size / size[:, None], rtol=1e-10, hermitian=True)
    return inverse @ (vector / size) / size
