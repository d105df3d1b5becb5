"""How fine is fine enough: limits that sampling advice is made from."""

import math

# An atom may lie half a slice from its plane; this phase error there is invisible (rad).
SLICE_PHASE = 0.1
# A frequency damped below this fraction carries no visible contrast.
VISIBLE = 0.05


def information_limit(
    wavelength: float,  # Å
    focal_spread: float,  # Å
    aperture: float | None,  # rad
) -> float:  # 1/Å
    r"""Highest spatial frequency that the optics let pass.

    The lesser of the aperture :math:`\alpha / \lambda` and the frequency where the temporal
    envelope falls to 5 %.

    Parameters
    ----------
    wavelength : float
        In Å.
    focal_spread : float
        Standard deviation of the defocus in Å.
    aperture : float or None
        Semi-angle α in rad.

    Returns
    -------
    float
        In 1/Å; infinite without either.

    Examples
    --------
    >>> from difftem.functional.sampling import information_limit
    >>> limit = information_limit(0.0197, focal_spread=50.0, aperture=None)  # 300 kV
    >>> round(1 / limit, 2)  # Å
    1.12
    """
    limits = [math.inf]
    if aperture is not None:
        limits.append(aperture / wavelength)
    if focal_spread > 0:
        q2 = math.sqrt(-2 * math.log(VISIBLE)) / (math.pi * wavelength * focal_spread)
        limits.append(math.sqrt(q2))
    return min(limits)


def thickest_slice(
    wavelength: float,  # Å
    frequency: float,  # 1/Å
) -> float:  # Å
    r"""Slice thickness at which the Fresnel phase of half a slice is 0.1 rad.

    .. math:: \Delta z = \frac{0.2}{\pi \lambda q^2}

    Parameters
    ----------
    wavelength : float
        In Å.
    frequency : float
        Highest frequency of interest q, from `information_limit`.

    Returns
    -------
    float
        In Å.

    Examples
    --------
    >>> from difftem.functional.sampling import thickest_slice
    >>> [round(thickest_slice(0.0197, 1 / resolution), 1) for resolution in (3.0, 1.0)]  # Å
    [29.1, 3.2]
    """
    return 2 * SLICE_PHASE / (math.pi * wavelength * frequency**2)


def delocalisation(
    wavelength: float,  # Å
    frequency: float,  # 1/Å
    defocus: float,  # Å
    cs: float,  # Å
    source: float = 0.0,  # rad
) -> float:  # Å
    r"""Largest distance at which detail of an object appears in the image.

    .. math:: R = \max_{q' \le q} \left| \Delta f \lambda q' - C_s \lambda^3 q'^3 \right|

    A source of semi-angle s damps what comes from afar by
    :math:`e^{-2 \pi^2 s^2 R^2 / \lambda^2}`; R is at most where that falls to 5 %.

    Parameters
    ----------
    wavelength : float
        In Å.
    frequency : float
        Highest frequency of interest q.
    defocus : float
        Δf in Å, underfocus positive.
    cs : float
        Cs in Å.
    source : float
        Standard deviation s of the illumination angle in rad.

    Returns
    -------
    float
        In Å.

    References
    ----------
    Lichte, Ultramicroscopy 38 (1991) 13.

    Examples
    --------
    >>> from difftem.functional.sampling import delocalisation
    >>> round(delocalisation(0.0197, 1 / 3, defocus=20e3, cs=2.7e7))  # Å, at 2 µm and 300 kV
    124
    """
    candidates = [frequency]
    if cs * defocus > 0:
        turning = math.sqrt(defocus / (3 * cs)) / wavelength
        candidates.append(min(turning, frequency))
    theta = [wavelength * q for q in candidates]
    farthest = max(abs(defocus * angle - cs * angle**3) for angle in theta)
    if source > 0:
        coherent = wavelength * math.sqrt(-math.log(VISIBLE) / 2) / (math.pi * source)
        farthest = min(farthest, coherent)
    return farthest


def good_fft_size(n: int, multiple_of: int = 2) -> int:
    """Smallest even number >= n (or multiple of another) whose prime factors are 2, 3 and 5.

    Examples
    --------
    >>> from difftem.functional.sampling import good_fft_size
    >>> good_fft_size(127), good_fft_size(4100)
    (128, 4320)
    """
    size = math.ceil(n / multiple_of) * multiple_of
    while pow(30, size.bit_length(), size):  # a power of 30 is divided by no other prime
        size += multiple_of
    return size
