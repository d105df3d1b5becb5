"""Differences of exposures of one field, in which the specimen cancels and the noise stays."""

import torch
from torch import Tensor


def contrasts(
    exposures: Tensor,  # (e, n, y, x)
    levels: Tensor,  # (e,)
) -> tuple[Tensor, Tensor]:  # (e - 1, n, y, x), (e - 1, n)
    r"""Combine e exposures of the same fields into e - 1 fields of noise.

    Combination k is :math:`d_k = \sum_i w_{ki} y_i` with rows of w that are orthonormal and
    orthogonal to the exposures' levels :math:`m_i`. What all exposures show in proportion to
    their dose cancels, :math:`\sum_i w_{ki} m_i = 0`; readout noise keeps its variance,
    :math:`\sum_i w_{ki}^2 = 1`; and shot noise is that of a single exposure with mean
    :math:`\sum_i w_{ki}^2 m_i`. Two equal exposures give :math:`(y_1 - y_2)/\sqrt2`. The
    combinations are uncorrelated where the levels are alike.

    Parameters
    ----------
    exposures : Tensor
        Crops, aligned, shape ``(e, n, y, x)``.
    levels : Tensor
        Relative dose of each exposure, e.g. its mean grey value, shape ``(e,)``.

    Returns
    -------
    tuple of Tensor
        Fields of noise, shape ``(e - 1, n, y, x)``, and the mean grey value of the single
        exposure that would have their spectrum, shape ``(e - 1, n)``.

    Raises
    ------
    ValueError
        For fewer than two exposures.
    """
    n = len(exposures)
    if n < 2:
        raise ValueError(f"differences need two exposures or more, got {n}")
    start = torch.cat([levels.double()[:, None], torch.eye(n, dtype=torch.float64)[:, :-1]], 1)
    weight = torch.linalg.qr(start).Q[:, 1:].T
    means = exposures.double().mean((-2, -1))
    # Around the mean, so that float32 keeps the noise.
    centered = exposures - means[..., None, None].to(exposures.dtype)
    offset = (weight @ means)[..., None, None]
    mixed = torch.tensordot(weight.to(exposures.dtype), centered, 1) + offset.to(exposures.dtype)
    return mixed, weight**2 @ means
