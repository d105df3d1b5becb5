r"""RELION's lists of Zernike coefficients, in rad, from Krivanek's in Å.

RELION multiplies the transfer function by :math:`e^{i \sum_j o_j Z_j}` with the odd list, and adds
:math:`\sum_j e_j Z_j` with the even one to the γ of its CTF, -sin γ [1]_. The Z are Zernike
polynomials :math:`R_n^{|m|}(k) \cos m\varphi` (m ≥ 0) or :math:`R_n^{|m|}(k) \sin |m|\varphi`
(m < 0), not normalised, :math:`R_n^{|m|}(1) = 1`, of the spatial frequency k in 1/Å: the unit
circle lies at 1 Å. Their order is (n, m) = (1, -1), (1, 1), (3, -3), (3, -1), (3, 1), (3, 3), ...
and (0, 0), (2, -2), (2, 0), (2, 2), (4, -4), ...

Our image has :math:`e^{-i\chi_\mathrm{odd}}` and γ contains :math:`+\chi_\mathrm{even}`; so has
RELION's beam tilt, whose phase is :math:`-2\pi C_s \lambda^2 k^2\, \mathbf{k} \cdot \mathbf{t}`.

References
----------
.. [1] Zivanov, Nakane & Scheres, IUCrJ 7 (2020) 253.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from difftem.functional.lens import ABERRATIONS


def zernike_lists(
    coefficients: Mapping[str, float],  # Å
    wavelength: float,  # Å
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Odd and even list of aberrations.

    Parameters
    ----------
    coefficients : mapping of str to float
        Krivanek's in Å, keys of `difftem.functional.lens.ABERRATIONS`.
    wavelength : float
        In Å.

    Returns
    -------
    tuple of tuple of float
        Coefficients in rad, odd and even; empty where all are 0.
    """
    lists: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for name, value in coefficients.items():
        n, m, part = ABERRATIONS[name]
        if value == 0:
            continue
        power = n + 1
        weight = 2 * math.pi / wavelength * wavelength**power / power * value
        even = power % 2 == 0
        for order, share in _monomial(power, m).items():
            index = _index(order, -m if part == "b" else m)
            sign = 1.0 if even else -1.0
            lists[even][index] = lists[even].get(index, 0.0) + sign * weight * share
    odd, even_list = (
        [each.get(i, 0.0) for i in range(max(each, default=-1) + 1)] for each in lists
    )
    return tuple(odd), tuple(even_list)


def zernike_sum(
    values: tuple[float, ...],
    odd: bool,
    ky: NDArray[np.float64],  # (..., y, x) 1/Å
    kx: NDArray[np.float64],  # (..., y, x) 1/Å
) -> NDArray[np.float64]:  # (..., y, x) rad
    """Phase that a list stands for, at any spatial frequencies in 1/Å."""
    radius, azimuth = np.hypot(kx, ky), np.arctan2(ky, kx)
    total = np.zeros_like(radius)
    for index, value in enumerate(values):
        n, m = _orders(index, odd)
        radial = sum(c * radius**p for p, c in _radial(n, abs(m)).items())
        total += value * radial * (np.cos(m * azimuth) if m >= 0 else np.sin(-m * azimuth))
    return total


def _orders(index: int, odd: bool) -> tuple[int, int]:
    """Orders n, m of an entry of a list."""
    n = 1 if odd else 0
    while index > n:
        index -= n + 1
        n += 2
    return n, 2 * index - n


def _index(n: int, m: int) -> int:
    """Place of Z_n^m in its list: after n' + 1 entries for each lower n' of the same parity."""
    return sum(lower + 1 for lower in range(n % 2, n, 2)) + (m + n) // 2


def _radial(n: int, m: int) -> dict[int, float]:
    """Radial polynomial R_n^m: {power: factor}."""
    f = math.factorial
    return {
        n - 2 * s: (-1) ** s * f(n - s) / (f(s) * f((n + m) // 2 - s) * f((n - m) // 2 - s))
        for s in range((n - m) // 2 + 1)
    }


def _monomial(power: int, m: int) -> dict[int, float]:
    """Radial polynomials of multiplicity m that add up to r^power: {n: share}."""
    shares, rest = {}, {power: 1.0}
    for n in range(power, m - 1, -2):
        radial = _radial(n, m)
        shares[n] = rest.get(n, 0.0) / radial[n]
        for p, c in radial.items():
            rest[p] = rest.get(p, 0.0) - shares[n] * c
    return shares
