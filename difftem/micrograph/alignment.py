"""Registration of exposures of the same field, by whole pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius

# Where specimens have their contrast, cycles/pixel; the band that shows the peak best is taken.
_BANDS = (0.03, 0.06, 0.12, 0.25)
_LOWEST = 0.004
# Largest of 10^7 values of Gaussian noise: 5.3 standard deviations.
SIGNIFICANT = 7.0


@dataclass(frozen=True)
class Shift:
    """Where a field went.

    Attributes
    ----------
    y, x : int
        Pixels by which the second exposure is moved against the first.
    residual : tuple of float
        y, x: what is left below a pixel, to about 0.2.
    significance : float
        Height of the correlation peak in standard deviations of the map.

    Examples
    --------
    >>> from difftem.micrograph.alignment import Shift
    >>> shift = Shift(y=2, x=-3, residual=(0.1, -0.2), significance=25.0)
    >>> shift.is_significant  # both exposures show the same field
    True
    """

    y: int
    x: int
    residual: tuple[float, float]
    significance: float

    @property
    def is_significant(self) -> bool:
        """Whether the two exposures show the same thing."""
        return self.significance > SIGNIFICANT


def whole_pixel_shift(
    first: Tensor,  # (y, x)
    second: Tensor,  # (y, x)
    max_shift: int,
) -> Shift:
    """Find the shift between two exposures by half-whitened correlation.

    Only whole pixels are ever applied: interpolation is a low-pass filter, and would put its own
    transfer function in the place of the detector's. What is left below a pixel is reported.
    The axes of the spectrum are left out: the lines of a gain reference do not move with the
    specimen, and an image whose ends differ has its leakage there.

    Parameters
    ----------
    first, second : Tensor
        Equally large, finite.
    max_shift : int
        Pixels in y and x.

    Returns
    -------
    Shift
        With ``second[y + shift.y, x + shift.x]`` showing what ``first[y, x]`` shows.

    References
    ----------
    Kuglin & Hines, Proc. IEEE Conf. Cybernetics and Society (1975) 163.

    Examples
    --------
    >>> import torch
    >>> from difftem.micrograph.alignment import whole_pixel_shift
    >>> image = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    >>> shift = whole_pixel_shift(image, image.roll((2, -3), (0, 1)), max_shift=8)
    >>> shift.y, shift.x, shift.is_significant  # two rows down, three columns left
    (2, -3, True)
    """
    shape = (first.shape[-2], first.shape[-1])
    one, two = (torch.fft.rfft2(image - image.mean()) for image in (first, second))
    cross = one.conj() * two
    # Between correlation, which a gradient of the illumination rules, and pure phase correlation,
    # where every frequency counts alike although most hold noise.
    cross = cross / cross.abs().clamp(min=torch.finfo(first.dtype).tiny).sqrt()
    qy, qx = frequency_grid(shape, 1.0, half=True, dtype=first.dtype)
    frequency = radius((qy, qx))
    off_axis = (qy.abs() * shape[0] > 1.5) & (qx * shape[1] > 1.5) & (frequency > _LOWEST)
    in_band = [cross * (off_axis & (frequency < highest)) for highest in _BANDS]
    peaks = [_peak(torch.fft.irfft2(band, s=shape), max_shift) for band in in_band]
    return max(peaks, key=lambda peak: peak.significance)


def _peak(correlation: Tensor, max_shift: int) -> Shift:
    """Highest point within the allowed shifts, refined by a parabola along each axis."""
    ny, nx = correlation.shape
    reach_y, reach_x = (min(max_shift, n // 2 - 1) for n in (ny, nx))
    rows, columns = (torch.arange(-r - 1, r + 2) for r in (reach_y, reach_x))
    near = correlation[rows % ny][:, columns % nx]
    inside = near[1:-1, 1:-1]
    index = int(inside.argmax())
    y, x = divmod(index, inside.shape[1])
    residual = (
        _vertex(near[y : y + 3, x + 1].tolist()),
        _vertex(near[y + 1, x : x + 3].tolist()),
    )
    significance = float(inside.max() / correlation.std().clamp(min=1e-30))
    return Shift(y - reach_y, x - reach_x, residual, significance)


def _vertex(values: list[float]) -> float:
    """Position of the maximum of the parabola through values at -1, 0 and 1."""
    left, middle, right = values
    curvature = left - 2 * middle + right
    return 0.0 if curvature >= 0 else max(-0.5, min(0.5, 0.5 * (left - right) / curvature))
