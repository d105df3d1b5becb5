import pytest
import torch

from difftem.atoms import Atoms, concatenate
from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.atom_slices import AtomSlices
from difftem.functional.form_factor import scattering_factor
from difftem.functional.potential import basis_filter, slice_atoms
from difftem.functional.render import gaussian_projection
from difftem.functional.species import species_basis
from tests.helpers.specimen import make_atoms, pixel_axes, project, random_atoms, relative_rms

BANDS = [0.5, 2 / 3, 0.9, 0.95]


def oracle(atoms, shape, pixel_size, periodic=True):
    """Sum Gaussians in real space, with the atoms' images in the neighbouring fields."""
    y, x = pixel_axes(shape, pixel_size)
    total = 0.0
    for i in (-1, 0, 1) if periodic else (0,):
        for j in (-1, 0, 1) if periodic else (0,):
            shift = torch.tensor([i * shape[1], j * shape[0], 0]) * pixel_size
            moved = atoms.positions + shift
            total = total + gaussian_projection(
                moved, atoms.atomic_numbers, atoms.b_factors, atoms.occupancies, x, y
            )
    return total


def test_gaussian_oracle_is_the_inverse_fourier_transform_of_the_scattering_factor():
    # Radial Fourier (Hankel) integral by a plain sum: the oracle itself has an oracle.
    q = torch.linspace(0, 3, 60_001, dtype=torch.float64)
    b = 12.0
    f = scattering_factor(q, torch.tensor([8]), scattering_table("peng"))[0]
    f = POTENTIAL_CONSTANT * f * torch.exp(-b * q**2 / 4)
    rho = torch.tensor([0.0, 0.4, 1.3, 3.0], dtype=torch.float64)
    special = pytest.importorskip("scipy.special")  # torch's J0 is good to 4e-7 only
    bessel = torch.as_tensor(special.j0(2 * torch.pi * (q * rho[:, None]).numpy()))
    hankel = torch.trapezoid(2 * torch.pi * q * f * bessel, q)
    atoms = make_atoms([[0.0, 0.0, 5.0]], [8], b)
    direct = gaussian_projection(
        atoms.positions,
        atoms.atomic_numbers,
        atoms.b_factors,
        atoms.occupancies,
        rho,
        torch.zeros(1, dtype=torch.float64),
    )[0]
    torch.testing.assert_close(direct, hankel, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("shape", [(40, 51), (51, 40)])
def test_projection_is_the_sum_of_the_atoms_gaussians(band, shape):
    # B so large that nothing is left at the band limit.
    pixel_size = 0.5
    edge = band / 2 / pixel_size
    b = 4 * 14.0 / edge**2
    box = (shape[1] * pixel_size, shape[0] * pixel_size, 10.0)
    atoms = random_atoms(25, box, (1, 6, 7, 8, 16, 26, 78), (b, 2 * b), seed=3)
    expected = oracle(atoms, shape, pixel_size)
    got = project(atoms, shape, pixel_size, band_limit=band)[0]
    assert (got - expected).abs().max() < 1e-4 * expected.abs().max()
    assert relative_rms(got, expected) < 1e-4


@pytest.mark.parametrize("band", BANDS)
def test_projection_of_one_species_is_the_sum_of_its_gaussians(band):
    shape, pixel_size = (33, 36), 0.7
    b = 4 * 14.0 / (band / 2 / pixel_size) ** 2
    atoms = random_atoms(10, (25.0, 23.0, 5.0), (6,), (b, b), seed=4)
    expected = oracle(atoms, shape, pixel_size)
    got = project(atoms, shape, pixel_size, band_limit=band)[0]
    assert (got - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("table", ["peng", "lobato", "kirkland"])
@pytest.mark.parametrize("band", BANDS)
def test_sharp_atoms_are_the_band_limited_form_factor(table, band):
    # B = 0: compared in Fourier space, where the band limit is a mask and no approximation.
    from difftem.functional.grid import band_limit_mask, frequency_grid, radius

    shape, pixel_size = (30, 27), 0.4
    positions = torch.tensor([[0.13, -2.71, 0.0], [3.3, 1.99, 1.0]], dtype=torch.float64)
    atoms = make_atoms(positions, [6, 79], 0.0, [1.0, 0.7])
    got = torch.fft.fft2(project(atoms, shape, pixel_size, band_limit=band, table=table)[0])
    qy, qx = frequency_grid(shape, pixel_size)
    f = scattering_factor(radius((qy, qx)).flatten(), atoms.atomic_numbers, scattering_table(table))
    pixel = positions + torch.tensor([shape[1] // 2, shape[0] // 2, 0]) * pixel_size
    phase = qx * pixel[:, 0, None, None] + qy * pixel[:, 1, None, None]
    waves = torch.exp(-2j * torch.pi * phase) * atoms.occupancies[:, None, None]
    expected = (waves * f.unflatten(1, shape)).sum(0) * POTENTIAL_CONSTANT / pixel_size**2
    expected = expected * band_limit_mask(shape, band, dtype=torch.float64)
    assert relative_rms(got, expected) < 1e-4
    field, truth = torch.fft.ifft2(got).real, torch.fft.ifft2(expected).real
    assert (field - truth).abs().max() < 1e-4 * truth.max()


@pytest.mark.parametrize("table", ["peng", "lobato", "kirkland"])
@pytest.mark.parametrize("z", [1, 6, 8, 26, 78])
def test_integral_of_an_atom_is_the_potential_constant_times_forward_scattering(table, z):
    f0 = scattering_factor(
        torch.zeros(1, dtype=torch.float64), torch.tensor([z]), scattering_table(table)
    ).item()
    atoms = make_atoms([[1.234, -0.77, 0.0]], [z], 17.0)
    integral = project(atoms, (32, 35), 0.6, table=table).sum().item() * 0.6**2
    # The spreading kernel's transform is good to 2e-5 per axis near DC.
    assert integral == pytest.approx(47.877647 * f0, rel=4e-5)


def test_forward_scattering_of_the_tables_has_its_published_value():
    # f_e(0) of carbon and oxygen in Å: sums of a (Peng), 2 sum of a (Lobato), and so on.
    published = {"peng": (2.5087, 1.9841), "lobato": (2.5010, 1.9832), "kirkland": (2.4719, 1.9451)}
    for table, (carbon, oxygen) in published.items():
        f = scattering_factor(
            torch.zeros(1, dtype=torch.float64), torch.tensor([6, 8]), scattering_table(table)
        )
        assert f[0].item() == pytest.approx(carbon, rel=0.03)
        assert f[1].item() == pytest.approx(oxygen, rel=0.03)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("n_slices", [1, 2, 7])
def test_no_atom_is_lost_at_any_height(linear, n_slices):
    # 10 000 random heights, heights exactly on every border, and far outside the slab.
    thickness = 1.7
    generator = torch.Generator().manual_seed(2)
    z = (torch.rand(10_000, generator=generator, dtype=torch.float64) - 0.5) * 3 * n_slices
    borders = (torch.arange(-2, n_slices + 3) - n_slices / 2) * thickness
    nudge = torch.tensor([0.0, 1e-15, -1e-15, 1e-7, -1e-7], dtype=torch.float64)
    z = torch.cat([z, (borders[:, None] + nudge).flatten(), torch.tensor([1e6, -1e6])])
    for dtype in (torch.float64, torch.float32):
        positions = torch.stack([torch.zeros_like(z), torch.zeros_like(z), z], -1).to(dtype)
        weights = torch.rand(len(z), 2, generator=generator, dtype=torch.float64).to(dtype)
        sliced = slice_atoms(positions, weights, (8, 8), 1.0, n_slices, thickness, linear=linear)
        assert len(sliced.counts) == n_slices
        assert sum(sliced.counts) == len(z) * (2 if linear else 1)
        total = sliced.coefficients.double().sum(0)
        torch.testing.assert_close(total, weights.double().sum(0), rtol=1e-6, atol=0)


def test_slices_add_up_to_the_whole_projection():
    atoms = random_atoms(60, (14.0, 14.0, 40.0), (1, 6, 8, 16), (10.0, 60.0), seed=5)
    whole = project(atoms, (32, 29), 0.5)[0]
    for linear in (False, True):
        slices = project(atoms, (32, 29), 0.5, n_slices=9, slice_thickness=3.0, linear=linear)
        assert slices.shape == (9, 32, 29)
        assert (slices.sum(0) - whole).abs().max() < 1e-12 * whole.max()


def test_atom_is_in_the_slice_that_its_height_falls_in_first_slice_lowest():
    n, thickness = 5, 2.0
    for z, expected in [(-4.9, 0), (-5.0, 0), (-3.0, 1), (-0.1, 2), (0.0, 2), (1.0, 3), (4.99, 4)]:
        atoms = make_atoms([[0.0, 0.0, z]], [6])
        slices = project(atoms, (16, 16), 0.8, n_slices=n, slice_thickness=thickness)
        filled = slices.abs().amax((1, 2)) > 0
        assert filled.nonzero().flatten().tolist() == [expected], z


def test_linear_interpolation_shares_an_atom_between_the_nearest_slice_middles():
    n, thickness = 4, 2.0
    whole = project(make_atoms([[0.0, 0.0, 0.0]], [6]), (16, 16), 0.8)[0].sum()
    # Slice middles are at z = -3, -1, 1, 3 Å.
    cases = {-3.0: (1, 0, 0, 0), -2.5: (0.75, 0.25, 0, 0), 0.0: (0, 0.5, 0.5, 0)}
    cases |= {0.6: (0, 0.2, 0.8, 0), 3.0: (0, 0, 0, 1), 3.9: (0, 0, 0, 1), -9.0: (1, 0, 0, 0)}
    for z, shares in cases.items():
        atoms = make_atoms([[0.0, 0.0, z]], [6])
        slices = project(atoms, (16, 16), 0.8, n_slices=n, slice_thickness=thickness, linear=True)
        got = slices.sum((1, 2)) / whole
        expected = torch.tensor(shares, dtype=torch.float64)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 31), (31, 20)])
def test_atom_at_the_origin_peaks_at_the_centre_pixel(shape):
    image = project(make_atoms([[0.0, 0.0, 0.0]], [6]), shape, 0.8)[0]
    peak = divmod(int(image.argmax()), shape[1])
    assert peak == (shape[0] // 2, shape[1] // 2)
    moved = project(make_atoms([[3 * 0.8, -2 * 0.8, 0.0]], [6]), shape, 0.8)[0]
    peak = divmod(int(moved.argmax()), shape[1])
    assert peak == (shape[0] // 2 - 2, shape[1] // 2 + 3)  # x right, y with the rows


@pytest.mark.parametrize("n", [16, 17])
def test_atoms_outside_the_field_are_left_out_unless_it_is_periodic(n):
    # Pixels 0 ... n - 1 cover -0.5 ... n - 0.5.
    pixel_size = 0.8
    low, high = -(n // 2) - 0.5, n - n // 2 - 0.5
    inside = [low + 0.01, high - 0.01]
    outside = [low - 0.01, high + 0.01]
    for axis in (0, 1):
        for places, kept in ((inside, True), (outside, False)):
            for place in places:
                position = [0.0, 0.0, 0.0]
                position[axis] = place * pixel_size
                atoms = make_atoms([position], [6])
                image = project(atoms, (n, n), pixel_size, periodic=False)[0]
                assert bool(image.abs().max() > 0) is kept, (axis, place)
                assert project(atoms, (n, n), pixel_size)[0].max() > 1  # periodic: wrapped


def test_periodic_field_does_not_change_when_an_atom_moves_by_the_field():
    shape, pixel_size = (18, 21), 0.7
    atoms = random_atoms(5, (12.0, 12.0, 3.0), (6, 8), (20.0, 40.0))
    shift = torch.tensor([21 * 0.7, -2 * 18 * 0.7, 0.0], dtype=torch.float64)
    moved = project(atoms.translated(shift), shape, pixel_size)
    assert (moved - project(atoms, shape, pixel_size)).abs().max() < 1e-9


def test_field_smaller_than_the_spreading_kernel_wraps_around_it():
    # Sixteen pixels of kernel on eight of field, against the same crystal in a larger cell.
    atoms = random_atoms(3, (4.0, 4.0, 1.0), (6,), (10.0, 10.0))
    small = project(atoms, (8, 7), 0.5, band_limit=0.95, taper=0)
    cells = [[i * 7 * 0.5, j * 8 * 0.5, 0.0] for i in range(4) for j in range(4)]
    many = [atoms.translated(torch.tensor(cell, dtype=torch.float64)) for cell in cells]
    large = project(concatenate(many), (32, 28), 0.5, band_limit=0.95, taper=0)
    shifted = large.roll((8 // 2 - 32 // 2, 7 // 2 - 28 // 2), (1, 2))[:, :8, :7]
    assert (small - shifted).abs().max() < 1e-4 * small.max()


def test_single_precision_is_enough():
    atoms = random_atoms(40, (100.0, 100.0, 3.0), (6, 7, 8), (20.0, 40.0))
    double = project(atoms, (200, 200), 0.5)
    single = project(atoms.to(dtype=torch.float32), (200, 200), 0.5)
    assert single.dtype == torch.float32
    # Coordinates of 100 Å carry 4e-6 Å.
    assert (single - double).abs().max() < 3e-5 * double.max()


def test_no_slice_or_no_thickness_is_refused():
    at, c = torch.zeros(1, 3), torch.ones(1, 1)
    for n, thickness in [(0, 1.0), (3, 0.0), (3, -1.0), (3, float("nan"))]:
        with pytest.raises(ValueError, match="at least one slice of positive thickness"):
            slice_atoms(at, c, (8, 8), 1.0, n, thickness)


@pytest.mark.parametrize("shape", [(12, 16), (13, 15)])
def test_gradient_of_the_slices_is_that_of_the_gaussians(shape):
    # Against autograd through the real-space sum, with atoms over the edges of the field.
    pixel_size, b = 0.7, 250.0
    atoms = random_atoms(5, (12.0, 11.0, 6.0), (6, 8, 26), (b, 1.15 * b), seed=8)
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradients = []
    for function in (
        lambda a: project(a, shape, pixel_size, tolerance=1e-7)[0],
        lambda a: oracle(a, shape, pixel_size),
    ):
        leaves = [
            each.clone().requires_grad_()
            for each in (atoms.positions, atoms.b_factors, atoms.occupancies)
        ]
        moved = Atoms(leaves[0], atoms.atomic_numbers, leaves[1], leaves[2])
        gradients.append(torch.autograd.grad((function(moved) * weight).sum(), leaves))
    # The spreading error is a wave of one period per pixel: its slope counts 1/(q pixel) times,
    # twenty times at these low frequencies. That of B is small beside F: ten times.
    for got, expected, limit in zip(*gradients, (2e-3, 1e-3, 1e-4), strict=True):
        assert relative_rms(got, expected) < limit
        assert expected.abs().max() > 0


def test_slices_kept_from_a_stream_do_not_change_afterwards():
    atoms = random_atoms(9, (9.0, 9.0, 9.0), (6, 8), (30.0, 60.0))
    together = project(atoms, (16, 16), 0.7, n_slices=3, slice_thickness=3.0)
    basis = species_basis(
        atoms.atomic_numbers,
        atoms.b_factors,
        atoms.occupancies,
        1 / 3 / 0.7,
        scattering_table("peng"),
    )
    sliced = slice_atoms(atoms.positions, basis.coefficients, (16, 16), 0.7, 3, 3.0)
    filters = basis_filter(basis.radial, basis.frequency, (16, 16), 0.7, 2 / 3, 0.01, torch.float64)
    kept = []
    for each in AtomSlices([sliced], filters, (16, 16), 2 / 3):
        kept.append(each)
        assert torch.equal(each, together[len(kept) - 1])
    assert torch.equal(torch.stack(kept), together)


def test_atoms_inside_a_field_that_is_not_periodic_are_as_in_free_space():
    shape, pixel_size = (60, 64), 0.5
    atoms = random_atoms(12, (18.0, 16.0, 3.0), (1, 6, 8), (130.0, 150.0), seed=9)
    image = project(atoms, shape, pixel_size, periodic=False)[0]
    free = oracle(atoms, shape, pixel_size, periodic=False)
    # Six Å from the border nothing of an atom reaches it.
    assert (image - free).abs().max() < 1e-4 * free.max()
