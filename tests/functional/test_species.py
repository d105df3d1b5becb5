import pytest
import torch

from difftem.constants.displaced_volume import DISPLACED_VOLUME
from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.form_factor import scattering_factor
from difftem.functional.species import species_basis

NUMBERS = torch.tensor([1, 6, 7, 8, 16, 26, 78])


def direct(numbers, b, weights, q, table):
    """Write F_a(q) of every atom without any basis."""
    f = scattering_factor(q, numbers, scattering_table(table))
    return weights[:, None] * POTENTIAL_CONSTANT * f * torch.exp(-b[:, None] * q**2 / 4)


def ring_error(basis, expected):
    """Relative error of each atom's function, weighed with the area of its rings."""
    q = basis.frequency
    difference = (basis.coefficients @ basis.radial - expected) ** 2 @ q
    return (difference / (expected**2 @ q)).sqrt().max().item()


@pytest.mark.parametrize("table", ["peng", "lobato", "kirkland"])
@pytest.mark.parametrize("max_frequency", [0.2, 0.67, 1.9])
@pytest.mark.parametrize("b_range", [(15.0, 15.0), (0.0, 30.0), (5.0, 150.0), (0.0, 300.0)])
def test_compressed_functions_are_those_of_every_atom(table, max_frequency, b_range):
    generator = torch.Generator().manual_seed(1)
    numbers = NUMBERS[torch.randint(len(NUMBERS), (60,), generator=generator)]
    share = torch.linspace(0, 1, 60, dtype=torch.float64)
    b = b_range[0] + (b_range[1] - b_range[0]) * share
    weights = 0.5 + torch.rand(60, generator=generator, dtype=torch.float64)
    basis = species_basis(numbers, b, weights, max_frequency, scattering_table(table))
    assert ring_error(basis, direct(numbers, b, weights, basis.frequency, table)) < 1e-3
    # One common scale, as in a projection of all atoms: the stated tolerance.
    expected = direct(numbers, b, weights, basis.frequency, table)
    difference = basis.coefficients @ basis.radial - expected
    rms = ((difference**2 @ basis.frequency).sum() / (expected**2 @ basis.frequency).sum()).sqrt()
    assert rms < 2e-5


def test_few_functions_suffice_for_many_species():
    numbers = torch.tensor([1, 6, 7, 8, 16] * 40)
    b = torch.linspace(5, 120, 200, dtype=torch.float64)
    basis = species_basis(numbers, b, torch.ones_like(b), 0.5, scattering_table("peng"))
    assert basis.radial.shape[0] <= 8
    alone = species_basis(numbers[:1], b[:1], torch.ones_like(b[:1]), 0.5, scattering_table("peng"))
    assert alone.radial.shape[0] == 1


def test_single_atom_at_a_learnable_b_has_the_derivative_of_its_debye_waller_factor():
    number = torch.tensor([6])
    b = torch.tensor([20.0], dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, dtype=torch.float64)
    basis = species_basis(number, b, weight, 0.67, scattering_table("peng"))
    q = basis.frequency
    value = (basis.coefficients @ basis.radial)[0]
    pick = torch.linspace(1, 2, len(q), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((value * pick).sum(), b)
    expected = direct(number, b.detach(), weight, q, "peng")[0] * (-(q**2) / 4)
    assert gradient.item() == pytest.approx((expected * pick).sum().item(), rel=1e-4)


def test_displaced_solvent_is_frasers_gaussian_sphere():
    numbers = torch.tensor([8, 6])
    volumes = torch.tensor([DISPLACED_VOLUME.get(z, 0.0) for z in range(9)], dtype=torch.float64)
    b = torch.tensor([20.0, 40.0], dtype=torch.float64)
    weights = torch.tensor([1.0, 0.5], dtype=torch.float64)
    table = scattering_table("peng")
    basis = species_basis(numbers, b, weights, 0.5, table, volumes, 4.9)
    q = basis.frequency
    v = volumes[numbers][:, None]
    solvent = weights[:, None] * 4.9 * v * torch.exp(-torch.pi * v ** (2 / 3) * q**2)
    expected = direct(numbers, b, weights, q, "peng") - solvent
    got = basis.coefficients @ basis.radial
    assert (got - expected).abs().max() < 1e-3 * expected.abs().max()
    # At q = 0 the sphere displaces exactly its volume.
    dc = POTENTIAL_CONSTANT * scattering_factor(q[:1], numbers, table)[:, 0] - 4.9 * v[:, 0]
    torch.testing.assert_close(got[:, 0], dc * weights, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("low", "high", "pixel_size"),
    [
        (15.0, 15.0, 1.0),
        (10.0, 20.0, 1.0),
        (10.0, 20.0, 0.6),
        (20.0, 35.0, 0.3),
        (58.0, 500.0, 1.0),
    ],
)
def test_the_derivative_by_the_b_factor_errs_as_little_as_the_docs_say(low, high, pixel_size):
    generator = torch.Generator().manual_seed(0)
    numbers = torch.tensor([6, 7, 8, 16])[torch.randint(0, 4, (60,), generator=generator)]
    share = torch.rand(60, generator=generator, dtype=torch.float64)
    b_factors = (low + (high - low) * share).requires_grad_()
    limit, table = 1 / 3 / pixel_size, scattering_table("peng")
    for tolerance, largest, typical in ((2e-5, 2e-3, 5e-4), (1e-6, 2e-4, 2e-5)):
        weights = torch.ones(60, dtype=torch.float64)
        basis = species_basis(numbers, b_factors, weights, limit, table, tolerance=tolerance)
        index = torch.arange(0, int(limit / 0.004), 8)
        q, values = basis.frequency[index], basis.coefficients @ basis.radial[:, index].double()
        got = torch.stack(
            [torch.autograd.grad(v.sum(), b_factors, retain_graph=True)[0] for v in values.T], -1
        )
        # d/dB of c f exp(-B q²/4), atom by atom.
        factor = 47.878 * scattering_factor(q, numbers, table)
        exact = -factor * torch.exp(-b_factors.detach()[:, None] * q**2 / 4) * q**2 / 4
        area = q.clamp(min=1e-3)  # of the rings
        error = ((got - exact) ** 2 * area).sum(-1).sqrt() / (exact**2 * area).sum(-1).sqrt()
        assert error.max() < largest
        assert error.median() < typical
