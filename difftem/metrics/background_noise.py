"""How strong the noise is where nothing is, in units of the signal."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, avg_pool3d

_BOX = 5  # pixels along a side of what counts as near
_SAMPLE = 4_000_000  # values that quantiles are taken of
_ROBUST = 1.4826  # standard deviation of Gaussian noise over its median absolute deviation


def flat_region(
    truth: Tensor,  # (..., y, x) or (z, y, x)
    share: float = 0.25,
    n_axes: int = 2,
) -> Tensor:  # shape of truth, bool
    """Mark where a truth changes least: by its standard deviation in boxes of 5 pixels.

    Parameters
    ----------
    truth : Tensor
        Images ``(..., y, x)``, or a volume ``(z, y, x)``.
    share : float
        Of the pixels that are marked; more where more are as flat.
    n_axes : int
        2 for images, 3 for a volume.

    Returns
    -------
    Tensor
        True where it is flat.
    """
    scaled = ((truth - truth.mean()) / truth.std().clamp(min=1e-30)).float()
    stacked = scaled.reshape(-1, 1, *truth.shape[-n_axes:])
    first, second = _box_mean(stacked), _box_mean(stacked.square())
    # What rounding leaves of the square of a mean is no change.
    variance = (second - first.square()).clamp(min=1e-6).reshape(truth.shape)
    return variance <= torch.quantile(_sample(variance), share)


def noise_to_signal(
    estimate: Tensor,  # (..., y, x) or (z, y, x)
    truth: Tensor,  # the same shape
    region: Tensor,  # the same shape, bool
) -> Tensor:  # ()
    r"""Robust standard deviation of the error in a region over that of the signal everywhere.

    .. math:: \frac{1.4826 \, \mathrm{median} |e - \mathrm{median}\, e|}{\sigma_t}, \quad
              e = \frac{\hat t}{g} - t, \quad g = \frac{\mathrm{cov}(\hat t, t)}{\sigma_t^2}

    The gain g brings the signal, and not the sum of signal and noise, to the scale of the truth: so
    the number is the same in any units of the estimate.

    Parameters
    ----------
    estimate, truth : Tensor
        In any units each, of one shape.
    region : Tensor
        Where the noise is looked at.

    Returns
    -------
    Tensor
        At least 0; NaN where the estimate does not correlate with the truth, or the region is
        empty.
    """
    t = truth.double() - truth.mean(dtype=torch.float64)
    gain = (estimate.double() * t).mean() / t.square().mean()
    if not bool(region.any()) or not float(gain) > 0:
        return torch.full((), torch.nan, dtype=torch.float64)
    error = _sample(estimate[region].double() / gain - t[region])
    return _ROBUST * (error - error.median()).abs().median() / t.square().mean().sqrt()


def _box_mean(images: Tensor) -> Tensor:  # (n, 1, *sides)
    """Mean of what is near, axis by axis."""
    n_axes = images.ndim - 2
    pool = avg_pool2d if n_axes == 2 else avg_pool3d
    for axis in range(n_axes):
        box = [_BOX if each == axis else 1 for each in range(n_axes)]
        pad = [side // 2 for side in box]
        images = pool(images, box, 1, pad, count_include_pad=False)
    return images


def _sample(values: Tensor) -> Tensor:
    """Every n-th value, so that there are not too many to be sorted."""
    flat = values.flatten()
    return flat[:: max(1, -(-len(flat) // _SAMPLE))]
