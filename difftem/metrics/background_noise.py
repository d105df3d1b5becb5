"""How strong the noise is where nothing is, in units of the signal."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, avg_pool3d

_BOX = 5  # pixels along a side of what counts as near
_SAMPLE = 4_000_000  # values that quantiles are taken of
_ROBUST = 1.4826  # standard deviation of Gaussian noise over its median absolute deviation


def flat_region(
    truth: Tensor,  # (y, x) or (z, y, x)
    share: float = 0.25,
) -> Tensor:  # shape of truth, bool
    """Mark the share of an image or volume that changes least in boxes of 5 pixels.

    More is marked where more is as flat: a standard deviation of a thousandth of the whole's is
    that of rounding.
    """
    scaled = ((truth - truth.mean()) / truth.std().clamp(min=1e-30)).float()[None, None]
    first, second = _box_mean(scaled), _box_mean(scaled.square())
    variance = (second - first.square()).clamp(min=1e-6)[0, 0]
    return variance <= torch.quantile(_sample(variance), share)


def noise_to_signal(
    estimate: Tensor,  # (y, x) or (z, y, x)
    truth: Tensor,  # the same shape
    region: Tensor,  # the same shape, bool
) -> Tensor:  # ()
    r"""Robust standard deviation of the error in a region over that of the signal everywhere.

    .. math:: \frac{1.4826 \, \mathrm{median} |e - \mathrm{median}\, e|}{\sigma_t}, \quad
              e = \frac{\hat t}{g} - t, \quad g = \frac{\mathrm{cov}(\hat t, t)}{\sigma_t^2}

    The gain g brings the signal, and not the sum of signal and noise, to the scale of the truth: so
    the number is the same in any units of the estimate. NaN where that does not correlate with the
    truth, or the region is empty.
    """
    t = truth.double() - truth.mean(dtype=torch.float64)
    gain = (estimate.double() * t).mean() / t.square().mean()
    if not bool(region.any()) or not float(gain) > 0:
        return torch.full((), torch.nan, dtype=torch.float64)
    error = _sample(estimate[region].double() / gain - t[region])
    return _ROBUST * (error - error.median()).abs().median() / t.square().mean().sqrt()


def _box_mean(image: Tensor) -> Tensor:  # (1, 1, *sides)
    """Mean of what is near, axis by axis."""
    n_axes = image.ndim - 2
    pool = avg_pool2d if n_axes == 2 else avg_pool3d
    for axis in range(n_axes):
        side = image.shape[axis + 2]
        longest = min(_BOX, side - (side + 1) % 2)  # odd, and no longer than the side
        box = [longest if each == axis else 1 for each in range(n_axes)]
        image = pool(image, box, 1, [each // 2 for each in box], count_include_pad=False)
    return image


def _sample(values: Tensor) -> Tensor:
    """Every n-th value, so that there are not too many to be sorted."""
    flat = values.flatten()
    return flat[:: max(1, -(-len(flat) // _SAMPLE))]
