"""Electron scattering factors of neutral atoms and the potential's species functions."""

import torch
from torch import Tensor

from difftem.constants.scattering import ScatteringTable


def scattering_factor(
    frequency: Tensor,  # (n_q,) 1/Å
    atomic_numbers: Tensor,  # (n_species,)
    table: ScatteringTable,
) -> Tensor:  # (n_species, n_q) Å
    r"""Electron scattering factor of neutral atoms in the first Born approximation.

    .. math::

        f_\mathrm{Peng}(q) &= \sum_{i=1}^{5} a_i e^{-b_i q^2 / 4} \\
        f_\mathrm{Lobato}(q) &= \sum_{i=1}^{5} a_i \frac{2 + b_i q^2}{(1 + b_i q^2)^2} \\
        f_\mathrm{Kirkland}(q) &= \sum_{i=1}^{3} \frac{a_i}{q^2 + b_i}
            + \sum_{i=1}^{3} c_i e^{-d_i q^2}

    Parameters
    ----------
    frequency : Tensor
        Spatial frequency :math:`q = 1/d` in 1/Å, shape ``(n_q,)``.
    atomic_numbers : Tensor
        Integer atomic numbers, shape ``(n_species,)``.
    table : ScatteringTable
        One of the parametrisations of `difftem.constants.scattering`.

    Returns
    -------
    Tensor
        Scattering factors in Å, shape ``(n_species, n_q)``, dtype of `frequency`.

    Raises
    ------
    ValueError
        If the table has no parameters for an element.

    References
    ----------
    Peng, Ren, Dudarev & Whelan, Acta Cryst. A52 (1996) 257; Lobato & Van Dyck,
    Acta Cryst. A70 (2014) 636; Kirkland (2010), appendix C.

    Examples
    --------
    >>> import torch
    >>> from difftem.constants import scattering_table
    >>> from difftem.functional.form_factor import scattering_factor
    >>> q, carbon = torch.tensor([0.0, 0.25, 0.5]), torch.tensor([6])
    >>> scattering_factor(q, carbon, scattering_table("peng"))  # Å
    tensor([[2.5088, 1.9705, 1.1686]])
    """
    heaviest = int(atomic_numbers.max())
    if heaviest > table.max_atomic_number:
        raise ValueError(
            f"the {table.name} table ends at Z = {table.max_atomic_number}, got Z = {heaviest}"
        )
    parameters = table.parameters.to(frequency)[atomic_numbers.to(frequency.device)]
    a, b = parameters[..., 0, None], parameters[..., 1, None]  # (n_species, n_terms, 1)
    q2 = frequency**2
    if table.name == "peng":
        terms = a * torch.exp(-b * q2 / 4)
    elif table.name == "lobato":
        terms = a * (2 + b * q2) / (1 + b * q2) ** 2
    else:
        lorentz = a[:, : table.n_lorentz] / (q2 + b[:, : table.n_lorentz])
        gauss = a[:, table.n_lorentz :] * torch.exp(-b[:, table.n_lorentz :] * q2)
        terms = torch.cat([lorentz, gauss], dim=-2)
    return terms.sum(-2)
