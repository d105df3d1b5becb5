import math

import pytest
import torch

from difftem.functional.pose import random_rotations
from difftem.scene.assembly import Assembly, Blob, Copies, Shell
from difftem.scene.poses import ParticlePoses
from difftem.scene.templates.nested import add_copies, build_template
from difftem.scene.templates.render import render_template
from difftem.scene.templates.template import Template
from tests.helpers.specimen import random_atoms, relative_rms

VOXEL = 2.0


def grid(n):
    axis = (torch.arange(n, dtype=torch.float64) - n // 2) * VOXEL
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    return torch.stack([x, y, z], -1)


def low_passed(values, limit):
    """Keep frequencies below a fraction of Nyquist."""
    q = [torch.fft.fftfreq(n) for n in values.shape]
    z, y, x = torch.meshgrid(*q, indexing="ij")
    keep = z**2 + y**2 + x**2 < (limit / 2) ** 2
    return torch.fft.ifftn(torch.fft.fftn(values) * keep).real


@pytest.fixture
def shell():
    radii = torch.linspace(10.0, 40.0, 61, dtype=torch.float64)
    values = 2 * torch.exp(-(((radii - 25) / 4) ** 2))
    return Shell(25.0, radii, values, (1.0, 1.1, 1.2))


@pytest.fixture
def blob(generator):
    positions = 8 * torch.randn(5, 3, generator=generator, dtype=torch.float64)
    return Blob(positions, 5.0, 1.5)


def test_shells_and_blobs_have_their_analytic_values_at_every_voxel(shell, blob):
    template = build_template(Assembly("a", (shell, blob), 50.0, {}), {}, VOXEL)
    points = grid(template.values.shape[0])
    truth = shell.potential_at(points) + blob.potential_at(points)
    # Gaussians end at four standard deviations: e^-8 of their peak.
    assert float((template.values - truth).abs().max()) < 6e-4 * 1.5 + 1e-5
    assert float(truth.max()) > 1
    whole = float(template.values.double().sum()) * VOXEL**3
    assert whole == pytest.approx(shell.integral() + blob.integral(), rel=2e-3)


def test_a_blob_at_the_edge_is_cut_and_not_wrapped():
    blob = Blob(torch.tensor([[0.0, 0.0, 29.0]], dtype=torch.float64), 4.0, 1.0)
    values = build_template(Assembly("a", (blob,), 30.0, {}), {}, VOXEL).values
    assert float(values[: len(values) // 2 - 2].abs().max()) == 0
    assert float(values.max()) > 0.9


def test_turned_copies_equal_the_atoms_turned_and_rendered(generator):
    atoms = random_atoms(50, (20.0, 24.0, 16.0), (6, 7, 8), (60.0, 60.0)).centered()
    template = render_template(atoms, VOXEL)
    positions = torch.tensor([[20.3, -11.1, 5.7], [-17.2, 13.9, -8.4]], dtype=torch.float64)
    copies = ParticlePoses("m", positions, random_rotations(2, generator).double())
    assembly = Assembly("pair", (Copies(copies),), 50.0, {})
    made = build_template(assembly, {"m": template}, VOXEL)
    turned = atoms.copies(copies.rotations.to(atoms.positions), positions.to(atoms.positions))
    truth = render_template(turned, VOXEL).values
    n, m = made.values.shape[0], truth.shape[0]
    side = min(n, m)
    a, b = (
        each[tuple(slice(k // 2 - side // 2, k // 2 - side // 2 + side) for k in each.shape)]
        for each in (made.values, truth)
    )
    assert relative_rms(low_passed(a, 0.6), low_passed(b, 0.6)) < 1e-2


def test_a_copy_turns_about_its_center(generator):
    atoms = random_atoms(50, (20.0, 24.0, 16.0), (6, 7, 8), (60.0, 60.0)).centered()
    off = (4.0, -2.0, 6.0)
    moved = render_template(atoms.translated(torch.tensor(off, dtype=atoms.positions.dtype)), VOXEL)
    centered = Template(moved.values, VOXEL, moved.radius, off)
    copies = ParticlePoses(
        "m", torch.tensor([[3.0, 7.0, -5.0]]).double(), random_rotations(1, generator).double()
    )
    first, second = torch.zeros(48, 48, 48), torch.zeros(48, 48, 48)
    add_copies(first, render_template(atoms, VOXEL), copies)
    add_copies(second, centered, copies)
    assert relative_rms(second, first) < 1e-2


def test_a_copy_outside_adds_nothing_and_one_at_the_edge_a_part(generator):
    template = render_template(random_atoms(50, (10.0, 10.0, 10.0), (6,)).centered(), VOXEL)
    whole = float(template.values.sum())
    for x, low, high in ((500.0, 0.0, 0.0), (32.0, 0.3, 0.7), (0.0, 0.99, 1.01)):
        volume = torch.zeros(32, 32, 32)
        place = torch.tensor([[x, 0.0, 0.0]], dtype=torch.float64)
        add_copies(volume, template, ParticlePoses("m", place, torch.eye(3).double()[None]))
        assert low <= float(volume.sum()) / whole <= high


def test_copies_need_a_template_of_the_same_voxels():
    copies = ParticlePoses("m", torch.zeros(1, 3).double(), torch.eye(3).double()[None])
    assembly = Assembly("a", (Copies(copies),), 20.0, {})
    with pytest.raises(ValueError, match="a needs a template of 'm'"):
        build_template(assembly, {}, VOXEL)
    other = Template(torch.zeros(8, 8, 8), 1.0, 5.0)
    with pytest.raises(ValueError, match=r"voxels of 1.0 Å, a of 2.0 Å"):
        build_template(assembly, {"m": other}, VOXEL)


def test_the_volume_holds_the_assembly():
    values = build_template(Assembly("a", (), 33.0, {}), {}, VOXEL).values
    assert values.shape[0] >= 2 * math.ceil(33 / VOXEL)
    assert not bool(values.any())
