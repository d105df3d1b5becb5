"""Partial coherence of the lens as incoherent sums over focus and the directions of the source."""

import functools
import math
from collections.abc import Iterator, Mapping

import torch
from numpy.polynomial.hermite_e import hermegauss
from torch import Tensor

from difftem.functional.tilted_beam import TiltedFrequencies

MAX_NODES = 64  # per axis, that are chosen unasked
NEGLIGIBLE_POWER = 1e-6  # of what is scattered
ROUNDING_POWER = 1e-13  # of the whole wave, in single precision


@functools.lru_cache
def _gauss_hermite(n: int) -> tuple[Tensor, Tensor]:  # (n,), (n,)
    """Nodes (in standard deviations) and weights (sum 1) of a Gaussian average."""
    nodes, weights = hermegauss(n)
    return torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())


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
        As in `difftem.functional.coherence.coherence_envelope`.
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.illumination import ensemble_nodes
    >>> from difftem.functional.tilted_beam import tilted_frequencies
    >>> wavelength, spread, source = torch.tensor([0.0197, 77.3, 5e-5]).unbind()
    >>> frequencies = tilted_frequencies((16, 16), 2.0, wavelength, None)
    >>> defocus = {"C10": torch.tensor(-15000.0)}
    >>> ensemble_nodes(torch.ones(16, 16), frequencies, wavelength, defocus, spread, source)
    (6, 7)
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

    For a < 10. Fewer nodes act like a coarse grating: at a = 3 the average is 0.01, and three of
    them give 0.82.

    Parameters
    ----------
    phase : float
        Largest a: phase per standard deviation of what is averaged over, in rad.

    Returns
    -------
    int
        n.

    Examples
    --------
    >>> from difftem.functional.illumination import sufficient_nodes
    >>> sufficient_nodes(0.5), sufficient_nodes(3.0)
    (6, 10)
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.illumination import largest_phase
    >>> phase = torch.tensor([[0.0, 1.0, 2.0, 9.0]])  # rad
    >>> largest_phase(phase, torch.tensor([[1.0, 0.1, 0.01, 1e-9]]))  # next to nothing is at 9 rad
    2.0
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.illumination import illumination_ensemble
    >>> for weight, focus, _ in illumination_ensemble(torch.tensor(77.3), None, 3, 1):
    ...     print(f"{weight:.3f} of the intensity at {focus:+.0f} Å")
    0.167 of the intensity at -134 Å
    0.667 of the intensity at +0 Å
    0.167 of the intensity at +134 Å
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
