"""Likelihood of counts under two images, and how well the best test tells these apart."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class BestTest(NamedTuple):
    """What the most powerful test can do.

    Attributes
    ----------
    auc : float
        Probability that the ratio of a frame of the first image exceeds that of the second.
    accuracy : float
        Share of right answers where both are as frequent.
    power : float
        Share of frames of the first image that are told where 5 % of the second's are wrongly.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.likelihood_ratio import best_test
    >>> found = best_test(torch.full((100,), 0.5), torch.full((100,), 0.5))
    >>> found  # two images that are the same: what guessing does
    BestTest(auc=0.5, accuracy=0.5, power=0.05)
    """

    auc: float
    accuracy: float
    power: float


def poisson_log_ratio(
    counts: Tensor,  # (..., n)
    present: Tensor,  # (..., n)
    absent: Tensor,  # (..., n)
) -> Tensor:  # (...)
    r"""Log-likelihood ratio of two images of expected counts, in nats.

    .. math:: \Lambda = \sum_i n_i \ln\frac{\lambda_i}{\mu_i} - (\lambda_i - \mu_i)

    Parameters
    ----------
    counts : Tensor
        Electrons n, shape ``(..., n)``.
    present, absent : Tensor
        Expected electrons λ and μ of both hypotheses, positive, shapes like that of `counts`.

    Returns
    -------
    Tensor
        Positive where the counts speak for `present`; shape ``(...)``, float64.

    References
    ----------
    Neyman & Pearson, Phil. Trans. R. Soc. A 231 (1933) 289.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.likelihood_ratio import poisson_log_ratio
    >>> present, absent = torch.full((10,), 0.6), torch.full((10,), 0.3)  # e/pixel
    >>> counts = torch.tensor([[1.0] * 6 + [0.0] * 4, [1.0] * 3 + [0.0] * 7])
    >>> [round(ratio, 2) for ratio in poisson_log_ratio(counts, present, absent).tolist()]  # nats
    [1.16, -0.92]
    """
    first, second = present.double(), absent.double()
    return (counts.double() * torch.log(first / second) - (first - second)).sum(-1)


def best_test(
    present: Tensor,  # (..., n)
    absent: Tensor,  # (..., n)
) -> BestTest:
    r"""Power of the likelihood ratio where both images are known: the Neyman-Pearson ceiling.

    Under either image μ the ratio of Poisson counts has the mean
    :math:`\sum \mu_i w_i - (\lambda_i - \mu_i)` and the variance :math:`\sum \mu_i w_i^2`,
    w = ln(λ / μ); of many pixels it is Gaussian:

    .. math:: \mathrm{AUC} = \Phi\left(\frac{m_1 - m_0}{\sqrt{v_1 + v_0}}\right)

    Parameters
    ----------
    present, absent : Tensor
        Expected electrons of every pixel, positive, of one shape.

    Returns
    -------
    BestTest
        No test of the same counts does better.

    References
    ----------
    Neyman & Pearson, Phil. Trans. R. Soc. A 231 (1933) 289.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.likelihood_ratio import best_test
    >>> absent = torch.full((400,), 0.45)  # e/pixel, on a disc of 400 pixels
    >>> [round(best_test(absent * c, absent).auc, 2) for c in (1.05, 1.2)]  # 5 and 20 % brighter
    [0.68, 0.96]
    """
    first, second = present.double().flatten(), absent.double().flatten()
    weight = torch.log(first / second)
    apart = float(((first - second) * weight).sum())
    widths = [math.sqrt(float((each * weight**2).sum())) for each in (first, second)]
    if apart <= 0:
        return BestTest(0.5, 0.5, 0.05)
    auc = _normal(apart / math.hypot(*widths))
    accuracy = _normal(apart / sum(widths))
    power = _normal((apart - 1.6448536 * widths[1]) / widths[0])
    return BestTest(auc, accuracy, power)


def area_under_curve(
    present: Tensor,  # (n,)
    absent: Tensor,  # (m,)
) -> float:
    """Area under the receiver's curve: how often a score of one kind exceeds that of the other.

    Parameters
    ----------
    present, absent : Tensor
        Scores of both kinds of frames, shapes ``(n,)`` and ``(m,)``.

    Returns
    -------
    float
        0.5 of no power; ties count half.

    References
    ----------
    Hanley & McNeil, Radiology 143 (1982) 29.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.likelihood_ratio import area_under_curve
    >>> area_under_curve(torch.tensor([3.0, 2.0]), torch.tensor([1.0, 2.0]))  # 3.5 of four pairs
    0.875
    """
    apart = present.double()[:, None] - absent.double()
    return float(((apart > 0).double() + 0.5 * (apart == 0).double()).mean())


def _normal(value: float) -> float:
    """Gaussian distribution function."""
    return 0.5 * (1 + math.erf(value / math.sqrt(2)))
