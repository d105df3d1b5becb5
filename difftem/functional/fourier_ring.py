"""Fourier ring correlation (FRC) of two images, and the frequency that they agree up to."""

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius


def ring_frequencies(n_rings: int) -> Tensor:  # (n_rings,) cycles/pixel
    """Middles of rings of equal width from 0 to Nyquist.

    Examples
    --------
    >>> from difftem.functional.fourier_ring import ring_frequencies
    >>> ring_frequencies(4).tolist()
    [0.0625, 0.1875, 0.3125, 0.4375]
    """
    return (torch.arange(n_rings, dtype=torch.float64) + 0.5) / (2 * n_rings)


def ring_products(
    first: Tensor,  # (..., y, x)
    second: Tensor,  # (..., y, x)
    n_rings: int,
) -> Tensor:  # (..., 3, n_rings)
    """Sum the cross spectrum and both power spectra of two images over rings.

    Sums of several images may be added before `ring_correlation` divides them. Frequency 0 and
    the corners beyond Nyquist are left out.

    Parameters
    ----------
    first, second : Tensor
        Of any size and units, shape ``(..., y, x)``.
    n_rings : int
        From 0 to Nyquist, of equal width, as `ring_frequencies` has them.

    Returns
    -------
    Tensor
        Real part of the cross spectrum, power of the first, power of the second; float64. Each
        image's sums are divided by its number of pixels twice, so that they do not grow with it.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.fourier_ring import ring_correlation, ring_products
    >>> image = torch.randn(32, 32, generator=torch.Generator().manual_seed(0))
    >>> products = ring_products(image, 7 - 2 * image, n_rings=4)
    >>> ring_correlation(products)  # contrast reversed, the mean left out
    tensor([-1.0000, -1.0000, -1.0000, -1.0000], dtype=torch.float64)
    """
    ny, nx = first.shape[-2:]
    q = radius(frequency_grid((ny, nx), 1.0, half=True, device=first.device))
    index = (q * 2 * n_rings).long()
    inside = index < n_rings
    inside[0, 0] = False
    weight = torch.full_like(q, 2.0)  # the half that a real transform leaves out is its mirror
    weight[:, 0] = 1.0
    if nx % 2 == 0:
        weight[:, -1] = 1.0
    weight = weight[inside] / (ny * nx) ** 2
    a, b = (torch.fft.rfft2(each.double())[..., inside] for each in (first, second))
    sums = a.real.new_zeros(*a.shape[:-1], n_rings)
    products = ((a * b.conj()).real, a.abs().square(), b.abs().square())
    return torch.stack([sums.index_add(-1, index[inside], each * weight) for each in products], -2)


def ring_correlation(
    products: Tensor,  # (..., 3, n_rings)
) -> Tensor:  # (..., n_rings)
    r"""Divide sums of `ring_products` into a correlation; 0 in rings where one image has nothing.

    .. math:: \mathrm{FRC}(q) = \frac{\sum_{|k| \in q} \Re (A_k B_k^*)}
              {\sqrt{\sum |A_k|^2 \sum |B_k|^2}}

    Two images with the same signal and independent noise have SSNR / (1 + SSNR), where SSNR is the
    ratio of signal power to noise power in one of them; a noisy image and its truth have the square
    root of that.

    Parameters
    ----------
    products : Tensor
        Shape ``(..., 3, n_rings)``.

    Returns
    -------
    Tensor
        Between -1 and 1.

    References
    ----------
    van Heel & Schatz, J. Struct. Biol. 151 (2005) 250, equation 2; Rosenthal & Henderson,
    J. Mol. Biol. 333 (2003) 721 for the thresholds.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.fourier_ring import ring_correlation
    >>> cross, power = torch.tensor([9.0, 1.0]), torch.tensor([10.0, 2.0])  # SSNR 9 and 1
    >>> ring_correlation(torch.stack([cross, power, power]))
    tensor([0.9000, 0.5000])
    """
    cross, first, second = products.unbind(-2)
    norm = torch.sqrt(first * second)
    return torch.where(norm > 0, cross / norm.clamp(min=1e-300), torch.zeros_like(cross))


def agreed_frequency(
    curve: Tensor,  # (n_rings,)
    threshold: float = 0.5,
) -> float:  # cycles/pixel
    """Highest frequency up to which some ring correlates by the threshold.

    It is where the curve falls below the threshold for the last time: the zeros of a contrast
    transfer function make it fall and rise before.

    Parameters
    ----------
    curve : Tensor
        Correlations in rings of equal width from 0 to Nyquist, shape ``(n_rings,)``.
    threshold : float
        0.5 where one image is the truth or a reference, 0.143 for halves of the data.

    Returns
    -------
    float
        In cycles/pixel, interpolated between the rings: 0 where no ring reaches the threshold, 0.5
        where the last one does. The pixel size divided by it is the resolution.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.fourier_ring import agreed_frequency
    >>> curve = torch.tensor([1.0, 0.9, 0.7, 0.3])
    >>> round(1.5 / agreed_frequency(curve), 2)  # Å, of pixels of 1.5 Å
    4.0
    """
    above = torch.nonzero(curve >= threshold)
    if len(above) == 0:
        return 0.0
    last = int(above[-1])
    if last == len(curve) - 1:
        return 0.5
    high, low = float(curve[last]), float(curve[last + 1])
    at = ring_frequencies(len(curve))
    return float(at[last] + (at[last + 1] - at[last]) * (high - threshold) / (high - low))
