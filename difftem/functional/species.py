"""Species functions: what one atom adds to the potential's Fourier transform, compressed.

Every (element, B-factor) pair has its own radial function. A few orthogonal functions of the
radial frequency span them all to a chosen error, so a slice needs that many FFTs instead of one
per pair, and the B-factors stay continuous and differentiable.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import ScatteringTable
from difftem.functional.form_factor import scattering_factor
from difftem.functional.radial_basis import chebyshev_nodes, compress, interpolation_weights
from difftem.functional.reorder import reorder

# Fine beside the width of the broadest atom (B = 300 Å²): cubic interpolation errs by 1e-6.
RADIAL_STEP = 0.004
# An atom alone at its B-factor still needs the direction of dF/dB: widen the range by this, Å².
MIN_B_RANGE = 1.0


class SpeciesBasis(NamedTuple):
    """Radial functions and each atom's expansion in them.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.species import SpeciesBasis
    >>> q = torch.arange(0.0, 0.5, 0.004)
    >>> basis = SpeciesBasis(q, radial=torch.exp(-5 * q**2)[None], coefficients=torch.ones(3, 1))
    >>> tuple((basis.coefficients @ basis.radial).shape)  # each atom's function of q
    (3, 125)
    """

    frequency: Tensor  # (n_radial,) 1/Å, equidistant from 0
    radial: Tensor  # (n_basis, n_radial)
    coefficients: Tensor  # (n_atoms, n_basis) V Å³


def species_basis(
    atomic_numbers: Tensor,  # (n_atoms,)
    b_factors: Tensor,  # (n_atoms,) Å²
    weights: Tensor,  # (n_atoms,) occupancy
    max_frequency: float,  # 1/Å
    table: ScatteringTable,
    displaced_volume: Tensor | None = None,  # (n_elements,) Å³, indexed by Z
    solvent_potential: float = 0.0,  # V
    tolerance: float = 2e-5,
) -> SpeciesBasis:
    r"""Expand the projected-potential transforms of all atoms in a small common basis.

    .. math:: F_a(q) = o_a \left[ c f_{Z_a}(q)\, e^{-B_a q^2 / 4}
              - V_s \vartheta_{Z_a} e^{-\pi \vartheta_{Z_a}^{2/3} q^2} \right]
              \approx \sum_k C_{ak} R_k(q)

    with :math:`c = h^2 / 2 \pi m_0 e`. The second term is the solvent that the atom displaces.
    The dependence on B is interpolated at Chebyshev nodes, so gradients with respect to
    `b_factors` and `weights` flow through the coefficients; the radial functions are constants.

    Parameters
    ----------
    atomic_numbers : Tensor
        Shape ``(n_atoms,)``, integers.
    b_factors : Tensor
        Isotropic B = 8π²<u²> in Å², shape ``(n_atoms,)``.
    weights : Tensor
        Occupancies, shape ``(n_atoms,)``.
    max_frequency : float
        Largest radial frequency that is needed, 1/Å.
    table : ScatteringTable
        Scattering factors.
    displaced_volume : Tensor, optional
        Volume of solvent that an atom of each element displaces, Å³. Default: none.
    solvent_potential : float
        Mean inner potential of the solvent, V.
    tolerance : float
        Singular values below this fraction of the largest are dropped.

    Returns
    -------
    SpeciesBasis
        Frequencies, radial functions and coefficients.

    References
    ----------
    Peng et al., Acta Cryst. A52 (1996) 257; Fraser, MacRae & Suzuki, J. Appl. Cryst. 11
    (1978) 693.

    Examples
    --------
    >>> import torch
    >>> from difftem.constants import scattering_table
    >>> from difftem.functional.species import species_basis
    >>> numbers, b_factors = torch.tensor([6, 8, 6]), torch.tensor([10.0, 20.0, 30.0])
    >>> basis = species_basis(numbers, b_factors, torch.ones(3), 0.5, scattering_table("peng"))
    >>> at_zero = basis.coefficients @ basis.radial[:, 0].float() / 47.878
    >>> [round(value, 2) for value in at_zero.tolist()]  # f(0) of C, O and C in Å
    [2.51, 1.98, 2.51]
    """
    elements, element_index = torch.unique(atomic_numbers, return_inverse=True)
    n_radial = int(max_frequency / RADIAL_STEP) + 4
    q = RADIAL_STEP * torch.arange(n_radial, dtype=torch.float64, device=atomic_numbers.device)
    b_range = _chebyshev_range(b_factors, max_frequency)
    debye_waller = torch.exp(-b_range.nodes(q)[:, None] * q**2 / 4)  # (n_nodes, n_radial)
    vacuum = POTENTIAL_CONSTANT * scattering_factor(q, elements, table)
    functions = vacuum[:, None] * debye_waller  # (n_elements, n_nodes, n_radial)
    if displaced_volume is not None:
        volume = displaced_volume.to(q)[elements, None]
        solvent = solvent_potential * volume * torch.exp(-torch.pi * volume ** (2 / 3) * q**2)
        functions = functions - solvent[:, None]
    # The area of a ring (q dq) makes the error that of the projection.
    radial, expansion = compress(functions, torch.sqrt(q + q[1] / 8), tolerance)
    per_node = b_range.weights(b_factors)  # (n_atoms, n_nodes)
    order = torch.argsort(element_index, stable=True)
    parts = reorder(per_node, order).split(torch.bincount(element_index).tolist())
    sorted_ = torch.cat(
        [part @ each for part, each in zip(parts, expansion.to(per_node), strict=True)]
    )
    coefficients = reorder(sorted_, torch.argsort(order)) * weights[:, None]
    return SpeciesBasis(q, radial, coefficients)


class _ChebyshevRange(NamedTuple):
    """Range of B-factors and how many Chebyshev nodes resolve exp(-B q²/4) on it."""

    center: float
    half_range: float
    n_nodes: int

    def nodes(self, like: Tensor) -> Tensor:  # (n_nodes,)
        """B-factors at the nodes, Å²."""
        return self.center + self.half_range * chebyshev_nodes(self.n_nodes, like)

    def weights(self, b_factors: Tensor) -> Tensor:  # (n_atoms, n_nodes)
        """Weight of each node's function for each atom."""
        if self.n_nodes == 1:
            return torch.ones_like(b_factors)[:, None]
        return interpolation_weights((b_factors - self.center) / self.half_range, self.n_nodes)


def _chebyshev_range(b_factors: Tensor, max_frequency: float) -> _ChebyshevRange:
    """Interpolation range for these B-factors; a single node when they are equal and fixed."""
    low, high = (float(b) for b in torch.aminmax(b_factors.detach()))
    if not b_factors.requires_grad and high - low < 1e-6:
        return _ChebyshevRange((low + high) / 2, 0.0, 1)
    half_range = max((high - low) / 2, MIN_B_RANGE / 2)
    exponent = half_range * max_frequency**2 / 4
    # The n-th coefficient of exp(-a x) falls as exp(-n²/2a) for a large a.
    n_nodes = min(5 + int(2.5 * exponent), 8 + int(5 * math.sqrt(exponent)))
    return _ChebyshevRange((low + high) / 2, half_range, n_nodes)
