"""Signs in a noise spectrum that an image was filtered or interpolated."""

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.micrograph.noise_curve import NoiseCurve
from difftem.micrograph.noise_rings import NoiseRings

# Of the power at low frequency. Counting cameras have 0.0076 at Nyquist and more (Falcon 4).
_NOTHING = 0.003
_CLIFF = 0.05  # cameras fall to 0.3 over as many rings
_BEFORE, _GAP, _AFTER = 9, 2, 3  # rings before and after a cliff: peaks of a crystal are narrower
_LOW = (0.06, 0.12)  # cycles/pixel
_SHARPENED = 3.0
_SECTOR = 15.0  # degrees from an axis, or from a diagonal
_BAND = (0.4, 0.45)  # cycles/pixel; above, the axes hold what a camera aliases
_AXES_FALL, _DIAGONALS_FALL = 0.7, 2.0
_ONE_AXIS = 2.0
_UNEVEN, _UNEVEN_XY = 1.15, 1.25
_SIGMAS = 5.0
_OFF_AXIS = 1.5  # frequency steps


def filter_signs(
    rings: NoiseRings,
    curve: NoiseCurve,
) -> tuple[list[str], list[str]]:
    """Look for what no camera does to its noise.

    Two exposures tell signal and noise apart by themselves: of them, only noise that is not there
    any more is refused, and interpolation, or the lines of a scan, is doubtful.

    Parameters
    ----------
    rings : NoiseRings
        Measured.
    curve : NoiseCurve
        Fitted to them.

    Returns
    -------
    refused : list of str
        What a radial noise spectrum of a camera cannot be, a line each.
    doubtful : list of str
        What a camera seldom is.
    """
    refused: list[str] = []
    doubtful: list[str] = []
    axis_x, axis_y, diagonal = _profiles(rings)
    where = rings.frequency
    low = float(rings.power[(where > _LOW[0]) & (where < _LOW[1])].mean())
    if curve.white:  # strong structure may be there
        low = curve.level
    inside = where <= 0.5
    for name, profile in (("", rings.power), (" along x", axis_x), (" along y", axis_y)):
        relative = profile / low
        nothing = inside & (relative < _NOTHING)
        if bool(nothing.any()):
            at = float(where[nothing.nonzero()[0, 0]])
            refused.append(
                f"noise{name} falls to nothing at {at:.2f} cycles/pixel: the image was filtered or "
                "enlarged, or has hardly any noise"
            )
            break
        before = relative.unfold(0, _BEFORE, 1).median(-1).values
        after = relative[_BEFORE + _GAP :].unfold(0, _AFTER, 1).amax(-1)
        cliff = after < _CLIFF * before[: len(after)]
        if bool(cliff.any()):
            at = float(where[int(cliff.nonzero()[0, 0]) + _BEFORE + _GAP - 1])
            refused.append(f"noise{name} is cut off at {at:.2f} cycles/pixel by a low-pass filter")
            break
    smooth = torch.nn.functional.avg_pool1d(rings.power[inside][None], 5)[0] / low
    if float(smooth.max()) > _SHARPENED:
        refused.append(
            f"noise rises to {float(smooth.max()):.2g} times its power at low frequency: the image "
            "was sharpened"
        )
    if refused:
        return refused, doubtful
    band = (where >= _BAND[0]) & (where < _BAND[1])
    x, y, d = (float(each[band].median()) for each in (axis_x, axis_y, diagonal))
    error = 3 * float(rings.relative_error[band].square().mean().sqrt()) / int(band.sum()) ** 0.5
    ratio, across = (x + y) / (2 * d), max(x, y) / min(x, y)
    interpolated = doubtful if rings.differences else refused
    there = f"at {_BAND[0]:g} to {_BAND[1]:g} cycles/pixel"
    if across > _ONE_AXIS + _SIGMAS * error:
        interpolated.append(
            f"noise {there} along x is {x / y:.2g} times that along y: the image was interpolated "
            "along one axis, or scanned line by line"
        )
    elif ratio < _AXES_FALL - _SIGMAS * error:
        interpolated.append(
            f"noise {there} is {x / d:.2f} (x) and {y / d:.2f} (y) times that along the diagonals: "
            "the image was interpolated"
        )
    elif ratio > _DIAGONALS_FALL + _SIGMAS * error:
        interpolated.append(
            f"noise {there} along the axes is {ratio:.2g} times that along the diagonals: the "
            "image was filtered"
        )
    elif ratio > _UNEVEN + _SIGMAS * error or ratio < 1 / _UNEVEN - _SIGMAS * error:
        doubtful.append(
            f"noise {there} along the axes is {ratio:.2f} times that along the diagonals: "
            "interpolated or smoothed images have that, and binned ones of a camera that blurs"
        )
    elif across > _UNEVEN_XY + _SIGMAS * error:
        doubtful.append(f"noise {there} along x is {x / y:.2f} times that along y")
    return refused, doubtful


def _profiles(rings: NoiseRings) -> tuple[Tensor, Tensor, Tensor]:  # (rings,) each
    """Power near the axis of x, near that of y, and near the diagonals; 1e30 where is none."""
    block = rings.periodogram.shape[0]
    qy, qx = frequency_grid((block, block), 1 / block, half=True)
    angle = torch.rad2deg(torch.atan2(qx.abs(), qy.abs()))
    ring = radius((qy, qx)).round().long()
    off_axis = (qy.abs() > _OFF_AXIS) & (qx.abs() > _OFF_AXIS)
    wanted = (rings.frequency * block).round().long()
    sectors = (angle > 90 - _SECTOR, angle < _SECTOR, (angle - 45).abs() < _SECTOR)
    x, y, diagonal = (
        _ring_means(rings.periodogram, ring, off_axis & inside)[wanted] for inside in sectors
    )
    return x, y, diagonal


def _ring_means(periodogram: Tensor, ring: Tensor, keep: Tensor) -> Tensor:
    """Mean of what is kept in each ring."""
    n = int(ring.max()) + 1
    total = torch.zeros(n).index_add(0, ring[keep], periodogram[keep])
    number = torch.bincount(ring[keep], minlength=n)
    return torch.where(number > 0, total / number.clamp(min=1), 1e30).double()
