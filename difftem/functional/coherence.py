"""Partial coherence of the lens: envelopes and explicit incoherent sums."""

import functools
import math
from collections.abc import Iterator, Mapping

import torch
from numpy.polynomial.hermite_e import hermegauss
from torch import Tensor

from difftem.constants.physical import ELECTRON_REST_ENERGY_EV
from difftem.functional.lens import TiltedFrequencies

MAX_NODES = 64  # per axis, that are chosen unasked
NEGLIGIBLE_POWER = 1e-6  # of what is scattered
ROUNDING_POWER = 1e-13  # of the whole wave, in single precision


def focal_spread(
    energy: Tensor,  # () eV
    chromatic_aberration: Tensor,  # (...) Å
    energy_spread: Tensor,  # (...) eV
    current_instability: Tensor,  # (...) relative
    voltage_instability: Tensor,  # (...) relative
) -> Tensor:  # (...) Å
    r"""Defocus spread from chromatic aberration, as a standard deviation.

    .. math:: \delta = C_c \sqrt{\left(\frac{\Delta E}{E^*}\right)^2
              + \left(\frac{\Delta V}{V} \frac{E}{E^*}\right)^2
              + \left(\frac{2 \Delta I}{I}\right)^2}

    where :math:`E^* = E (1 + E / 2 m_0 c^2) / (1 + E / m_0 c^2)` is the relativistic energy.

    Parameters
    ----------
    energy : Tensor
        Beam energy in eV.
    chromatic_aberration : Tensor
        Cc in Å.
    energy_spread : Tensor
        Standard deviation of the beam energy in eV.
    current_instability, voltage_instability : Tensor
        Standard deviations ΔI/I of the lens current and ΔV/V of the high tension.

    Returns
    -------
    Tensor
        δ in Å.

    References
    ----------
    Reimer & Kohl, Transmission Electron Microscopy (2008), section 6.4.2.
    """
    gamma = energy / ELECTRON_REST_ENERGY_EV
    effective = energy * (1 + gamma / 2) / (1 + gamma)
    high_tension = voltage_instability * energy / effective
    variance = (energy_spread / effective) ** 2 + high_tension**2 + (2 * current_instability) ** 2
    # The clamp keeps the gradient finite for a monochromatic beam.
    return chromatic_aberration * torch.sqrt(torch.clamp(variance, min=1e-30))


def temporal_envelope(
    q2: Tensor,  # (..., ny, nx) 1/Å²
    wavelength: Tensor,  # () Å
    spread: Tensor,  # (...) Å
) -> Tensor:  # (..., ny, nx)
    r"""Damping by a Gaussian distribution of defocus of standard deviation δ.

    .. math:: E_t(q) = e^{-\frac12 (\pi \lambda \delta q^2)^2}

    Parameters
    ----------
    q2 : Tensor
        Squared frequency in 1/Å².
    wavelength : Tensor
        In Å.
    spread : Tensor
        δ in Å, from `focal_spread`.

    Returns
    -------
    Tensor
        Values in (0, 1].

    References
    ----------
    Kirkland, Advanced Computing in Electron Microscopy (2010), section 3.2.
    """
    return torch.exp(-0.5 * (math.pi * wavelength * spread[..., None, None] * q2) ** 2)


def spatial_envelope(
    gradient: tuple[Tensor, Tensor],  # 2 x (..., ny, nx) rad Å
    wavelength: Tensor,  # () Å
    semiangle: Tensor,  # (...) rad
) -> Tensor:  # (..., ny, nx)
    r"""Damping by a Gaussian source of standard deviation α (per axis).

    .. math:: E_s(\mathbf q) = e^{-\frac12 (\alpha / \lambda)^2 |\nabla\chi(\mathbf q)|^2}

    Parameters
    ----------
    gradient : tuple of Tensor
        From `difftem.functional.lens.aberration_gradient`.
    wavelength : Tensor
        In Å.
    semiangle : Tensor
        α in rad: standard deviation of the illumination angle along each axis.

    Returns
    -------
    Tensor
        Values in (0, 1].

    References
    ----------
    Frank, Optik 38 (1973) 519; Wade & Frank, Optik 49 (1977) 81.
    """
    squared = gradient[0] ** 2 + gradient[1] ** 2
    return torch.exp(-0.5 * (semiangle / wavelength)[..., None, None] ** 2 * squared)


@functools.lru_cache
def _gauss_hermite(n: int) -> tuple[Tensor, Tensor]:  # (n,), (n,)
    """Nodes (in standard deviations) and weights (sum 1) of a Gaussian average."""
    nodes, weights = hermegauss(n)
    return torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())


def coherence_envelope(
    frequencies: TiltedFrequencies,
    wavelength: Tensor,  # () Å
    coefficients: Mapping[str, Tensor],  # each (...) Å
    spread: Tensor,  # (...) Å
    source: Tensor | None,  # (...) rad
    dtype: torch.dtype,
) -> Tensor:  # (..., ny, nx)
    """Both envelopes relative to the direct beam, which nothing damps; None is a point source."""
    q2 = frequencies.squared().to(dtype)
    envelope = temporal_envelope(q2, wavelength.to(dtype), spread.to(dtype))
    if source is None:
        return envelope
    gradient = frequencies.aberration_gradient(wavelength, coefficients)
    return envelope * spatial_envelope(gradient, wavelength, source)


def ensemble_nodes(
    power: Tensor,  # (..., ny, nx)
    frequencies: TiltedFrequencies,
    wavelength: Tensor,  # () Å
    coefficients: Mapping[str, Tensor],  # each (...) Å
    spread: Tensor,  # (...) Å
    source: Tensor | None,  # (...) rad
    n_focus: int | None = None,
    n_source: int | None = None,
) -> tuple[int, int]:
    r"""Choose the nodes of the incoherent sum over focus and, per axis, over the source.

    By the largest phases between nodes, :math:`\pi\lambda\delta q^2` and
    :math:`(\alpha/\lambda) |\nabla\chi|`, of the frequencies that the wave has.

    Parameters
    ----------
    power : Tensor
        Squared modulus of the wave's spectrum behind the aperture.
    frequencies : TiltedFrequencies
        Of that spectrum.
    wavelength, coefficients, spread, source
        As in `coherence_envelope`.
    n_focus, n_source : int, optional
        To be kept.

    Returns
    -------
    tuple of int
        From `sufficient_nodes` where none is given.

    Raises
    ------
    ValueError
        If more than `MAX_NODES` are needed.
    """
    if n_focus is None:
        phase = math.pi * wavelength * spread[..., None, None] * frequencies.squared()
        n_focus = _affordable("n_focus", largest_phase(phase, power))
    if source is None:
        return n_focus, 1
    if n_source is None:
        gy, gx = frequencies.aberration_gradient(wavelength, coefficients)
        phase = (source / wavelength)[..., None, None] * torch.sqrt(gy**2 + gx**2)
        n_source = _affordable("n_source", largest_phase(phase, power))
    return n_focus, n_source


def _affordable(name: str, phase: float) -> int:
    """Nodes for a phase, or a refusal of more than a sum can have."""
    needed = sufficient_nodes(phase)
    if needed > MAX_NODES:
        raise ValueError(
            f"the incoherent sum needs {needed} nodes ({phase:.3g} rad between them), at most "
            f"{MAX_NODES} are chosen; give {name}, an aperture, or coherence='envelope'"
        )
    return needed


def sufficient_nodes(
    phase: float,  # rad
) -> int:
    r"""Gauss-Hermite nodes that average :math:`e^{i a x}` over a normal x to some 1e-3.

    .. math:: n = \lceil a^2 / 2 + 5 \rceil

    For a < 10; of fewer, the sum is that of a coarse grating: three err by all of it at a = 3.

    Parameters
    ----------
    phase : float
        Largest a: phase per standard deviation of what is averaged over, in rad.

    Returns
    -------
    int
        n.
    """
    return math.ceil(phase**2 / 2 + 5)


def largest_phase(
    phase: Tensor,  # (..., ny, nx) rad
    power: Tensor,  # (..., ny, nx)
) -> float:
    """Largest absolute phase of the frequencies that hold all but a millionth of the power.

    Parameters
    ----------
    phase : Tensor
        Of each frequency.
    power : Tensor
        Squared modulus of the wave's spectrum; its zero frequency, the direct beam, counts for
        nothing.

    Returns
    -------
    float
        In rad; 0 of an empty wave.
    """
    size = phase.detach().abs().reshape(-1, *phase.shape[-2:]).amax(0).flatten()
    weight = power.detach().double().reshape(-1, *power.shape[-2:]).sum(0).flatten()
    rounding = ROUNDING_POWER * weight.sum()
    weight[0] = 0.0
    size, order = size.sort(descending=True)
    beyond = torch.cumsum(weight[order], 0)
    counts = beyond > torch.maximum(NEGLIGIBLE_POWER * beyond[-1], rounding)
    return float(size[counts.int().argmax()]) if bool(counts.any()) else 0.0


def illumination_ensemble(
    spread: Tensor,  # (...) Å
    source: Tensor | None,  # (...) rad
    n_focus: int,
    n_source: int,
) -> Iterator[tuple[float, Tensor, Tensor | None]]:
    """Nodes of the incoherent sum over focus and source; all foci of a direction come together.

    Parameters
    ----------
    spread : Tensor
        Standard deviation of the defocus in Å.
    source : Tensor or None
        Standard deviation of the illumination angle per axis in rad; None for a point source.
    n_focus, n_source : int
        Gauss-Hermite nodes over focus, and per axis over the source.

    Yields
    ------
    tuple
        Weight (they sum to 1), defocus offset in Å, direction (x, y) in rad or None.
    """
    foci = list(zip(*_gauss_hermite(n_focus), strict=True))
    if source is None:
        for focus, weight in foci:
            yield float(weight), focus * spread, None
        return
    angles, weights = _gauss_hermite(n_source)
    for y, weight_y in zip(angles, weights, strict=True):
        for x, weight_x in zip(angles, weights, strict=True):
            direction = torch.stack([x * source, y * source], -1)
            for focus, weight in foci:
                yield float(weight * weight_y * weight_x), focus * spread, direction
