"""Correlations of what the programs made."""

import numpy as np

_FINER = 8  # steps per pixel of the registration


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Largest correlation of two square images over all shifts, which wrap around.

    Programs centre a structure by its box or by its mass: images differ by a shift.

    Parameters
    ----------
    first, second : ndarray
        Of the same even size.

    Returns
    -------
    float
        At the best eighth of a pixel.
    """
    n = len(first)
    a, b = first - first.mean(dtype=float), second - second.mean(dtype=float)
    cross = np.fft.fftshift(np.fft.fft2(a) * np.conj(np.fft.fft2(b)))
    cross[0] = cross[:, 0] = 0  # Nyquist has no sign
    pad = (_FINER - 1) * n // 2
    fine = np.fft.ifft2(np.fft.ifftshift(np.pad(cross, pad))).real * _FINER**2
    return float(fine.max() / (np.linalg.norm(a) * np.linalg.norm(b)))


def of_series(first: np.ndarray, second: np.ndarray) -> float:
    """Least correlation of the images of two series."""
    return min(correlation(a, b) for a, b in zip(first, second, strict=True))


def of_gradients(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of gradients along x and y; along z there is none in a projection."""
    return float(np.corrcoef(first[:, :2].ravel(), second[:, :2].ravel())[0, 1])
