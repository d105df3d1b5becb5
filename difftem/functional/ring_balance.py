"""How much of a denoiser's correction to believe at each frequency, by what it has not seen."""

from collections.abc import Sequence

import torch
from torch import Tensor

from difftem.functional.mtf import apply_transfer
from difftem.functional.ring_curve import Rings

_WIDTH = 0.12  # of the frequency: rings this near are judged together
_MOST = 1.2


def ring_balance(
    correction: Tensor | Sequence[Tensor],  # (s, y, x)
    residual: Tensor | Sequence[Tensor],  # (s, y, x)
    noise_variance: float = 1.0,
    ignore: Tensor | None = None,  # (y, x // 2 + 1) bool
    where: Tensor | None = None,  # (y, x) bool
    prior: tuple[float, float] = (0.0, 0.25),
) -> Tensor:  # (y, x // 2 + 1)
    r"""Gain for a correction, ring by ring, that predicts held-out images best.

    .. math:: g(q) = \frac{\sum_s \sum_{|k| = q} \mathrm{Re}\, \overline{C_k} R_k
                           + g_0\, S\, v / \tau^2}
                          {\sum_s \sum_{|k| = q} |C_k|^2 + S\, v / \tau^2}

    C is what a denoiser adds to a reference (`difftem.functional.wiener.wiener_estimate`), R a
    held-out image minus that reference. The regression, smoothed over neighbouring rings and cut
    at 0 and 1.2, starts from g = g0 ± τ: with g0 = 0 what is not proved to be better
    than the reference is left out, with g0 = 1 what is not proved to be worse stays.

    Parameters
    ----------
    correction, residual : Tensor or sequence of Tensor
        C and R of s splits of one exposure, in the units of the kept part, shape ``(s, y, x)``.
    noise_variance : float
        v, of the noise in `residual`.
    ignore : Tensor, optional
        Frequencies that have no say; the gain there is interpolated. Shape ``(y, x // 2 + 1)``.

    where : Tensor, optional
        Pixels that have a say, such as those that the denoiser was not trained on. Default: all.
    prior : tuple of float
        g0 and τ, before anything is seen.

    Returns
    -------
    Tensor
        g on the half grid, between 0 and 1.2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.ring_balance import ring_balance
    >>> correction = 100 * torch.randn(1, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> residual = 0.5 * correction  # the held-out image wants half of it
    >>> round(ring_balance(correction, residual).mean().item(), 2)
    0.5
    """
    shape = (correction[0].shape[-2], correction[0].shape[-1])
    rings = Rings(shape, correction[0])
    product = power = torch.zeros((), device=correction[0].device)
    # One split after the other: the spectra of all of them are large.
    for one, other in zip(correction, residual, strict=True):
        if where is not None:
            one, other = one * where, other * where
        c, r = (torch.fft.rfft2(image, norm="ortho") for image in (one, other))
        product = product + (c.real * r.real + c.imag * r.imag) / len(correction)
        power = power + (c.real.square() + c.imag.square()) / len(correction)
    if ignore is not None:
        product, power = product.masked_fill(ignore, 0.0), power.masked_fill(ignore, 0.0)
    smooth = rings.neighbours(_WIDTH, least=1.0)
    evidence, start = rings.total(power) @ smooth, noise_variance / prior[1] ** 2
    curve = (rings.total(product) @ smooth + prior[0] * start) / (evidence + start)
    return rings.spread(curve.clamp(0.0, _MOST))


def balanced(
    reference: Tensor,  # (y, x)
    estimate: Tensor,  # (y, x)
    gain: Tensor,  # (y, x // 2 + 1)
) -> Tensor:  # (y, x)
    """Add the believed part of a correction to the reference.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.ring_balance import balanced
    >>> reference, estimate = torch.ones(4, 4), torch.full((4, 4), 3.0)
    >>> round(balanced(reference, estimate, gain=torch.full((4, 3), 0.5)).mean().item(), 3)
    2.0
    """
    return reference + apply_transfer(estimate - reference, gain)
