import math

import pytest
import torch

from difftem.atoms import Atoms
from difftem.io.structure import read_structure
from difftem.scene.assembly import Blob, Shell
from difftem.scene.matter import LIPID_HEAD, LIPID_TAILS, PROTEIN_RESIDUE, RNA_NUCLEOTIDE
from difftem.scene.neighbours import overlaps
from difftem.scene.spikes import SPIKE_6VXX, lean
from difftem.scene.virion import sars_cov_2

RADIUS = 450.0


def virion(seed=0, **options):
    return sars_cov_2(torch.Generator().manual_seed(seed), **options)


@pytest.fixture(scope="module")
def corona():
    return virion()


def test_potentials_follow_from_composition():
    # Mean inner potentials of independent atoms, over ice (4.53 V).
    assert PROTEIN_RESIDUE.potential() == pytest.approx(7.93, abs=0.01)
    assert RNA_NUCLEOTIDE.potential() == pytest.approx(9.77, abs=0.01)
    assert LIPID_HEAD.potential() == pytest.approx(8.41, abs=0.01)
    assert LIPID_TAILS.potential() == pytest.approx(5.91, abs=0.01)
    assert PROTEIN_RESIDUE.contrast() == pytest.approx(7.93 - 4.526, abs=0.01)
    # POPC has 52 heavy atoms and 82 hydrogens.
    assert LIPID_HEAD.heavy_atoms + LIPID_TAILS.heavy_atoms == 52
    assert LIPID_HEAD.atoms + LIPID_TAILS.atoms == 134


def test_it_stands_for_about_thirteen_million_heavy_atoms(corona):
    assert corona.total_heavy_atoms() == pytest.approx(13e6, rel=0.03)
    # 4 pi r² / 66 Å² lipids of 52 heavy atoms in each leaflet, less what the M proteins take.
    bare = virion(m_proteins=0, spikes=0, rnps=0, lumen_fraction=0.0)
    assert bare.total_heavy_atoms() == pytest.approx(
        2 * 4 * math.pi * RADIUS**2 / 66 * 52, rel=0.01
    )
    m_atoms = 2000 * 222 * PROTEIN_RESIDUE.heavy_atoms
    assert corona.heavy_atoms["M proteins"] == pytest.approx(m_atoms, rel=1e-6)


def test_densities_hold_the_potential_of_what_they_stand_for(corona):
    shell, cores, stalks = corona.densities()
    protein = PROTEIN_RESIDUE.volume * PROTEIN_RESIDUE.contrast()
    rna = RNA_NUCLEOTIDE.volume * RNA_NUCLEOTIDE.contrast()
    assert cores.integral() == pytest.approx(38 * (12 * 419 * protein + 800 * rna))
    assert stalks.integral() == pytest.approx(26 * 378 * protein)
    bare = virion(spikes=0, rnps=0, lumen_fraction=0.0).parts[0]
    lipid = 2 * 4 * math.pi * RADIUS**2 / 66
    both = LIPID_HEAD.volume * LIPID_HEAD.contrast() + LIPID_TAILS.volume * LIPID_TAILS.contrast()
    empty = virion(spikes=0, rnps=0, lumen_fraction=0.0, m_proteins=0).parts[0]
    assert empty.integral() == pytest.approx(lipid * both, rel=0.01)
    assert bare.integral() > empty.integral()
    assert shell.integral() > bare.integral()


def test_the_membrane_has_two_headgroups_and_a_trough(corona):
    shell = corona.parts[0]
    z = torch.arange(-30.0, 40.0, 0.25, dtype=torch.float64)
    points = torch.zeros(len(z), 3, dtype=torch.float64)
    points[:, 1] = RADIUS + z
    bare = virion(m_proteins=0, lumen_fraction=0.0, spikes=0, rnps=0).parts[0].potential_at(points)
    peaks = z[1:-1][(bare[1:-1] > bare[:-2]) & (bare[1:-1] > bare[2:])]
    assert peaks[0] == pytest.approx(-18.5, abs=1)
    assert peaks[-1] == pytest.approx(18.5, abs=1)
    middle = float(bare[z == 0])
    assert middle == pytest.approx(LIPID_TAILS.contrast(), rel=1e-3)
    # Heads of 331 Å³ on 66 Å² in a Gaussian of 3 Å, and the last of the tails.
    height = 331 / 66 / (3 * math.sqrt(2 * math.pi))
    assert float(bare.max()) == pytest.approx(height * LIPID_HEAD.contrast(), rel=0.03)
    assert float(bare.max()) > 1.8 * middle
    assert abs(float(bare[-1])) < 1e-3
    # M proteins fill the trough and line the inside.
    assert float(shell.potential_at(points)[z == 0]) > middle
    assert float(shell.potential_at(points)[z == -30]) > 1


def test_spikes_stand_outside_with_the_tilts_asked_for(corona):
    (spikes,) = corona.copies()
    assert len(spikes) == 26
    assert spikes.particle == "6vxx"
    axis = spikes.rotations[:, :, 2]
    feet = spikes.positions - (SPIKE_6VXX.foot + SPIKE_6VXX.stalk) * axis
    assert torch.allclose(feet.norm(dim=-1), torch.full((26,), RADIUS + 22).double())
    assert torch.pdist(feet).min() >= 120
    tilt = torch.rad2deg(((feet / feet.norm(dim=-1, keepdim=True)) * axis).sum(-1).acos())
    assert tilt.max() <= 60
    assert abs(float(tilt.mean()) - 48) < 3 * 9.8 / math.sqrt(26)
    places, sizes = torch.tensor(SPIKE_6VXX.body, dtype=torch.float64).T
    bodies = spikes.positions[:, None] + places[:, None] * axis[:, None]
    assert (bodies.norm(dim=-1) - sizes >= RADIUS + 22).all()
    for i in range(26):
        others = torch.cat([bodies[:i], bodies[i + 1 :]]).flatten(0, 1)
        gap = torch.cdist(bodies[i], others) - sizes[:, None] - sizes.repeat(25)
        assert gap.min() >= -1e-9
    assert corona.radius > (spikes.positions.norm(dim=-1) + 79.7 * 0.8).max()


def test_tilts_follow_their_distribution():
    tilt = torch.rad2deg(lean(50_000, 48.0, 60.0, torch.Generator().manual_seed(2)))
    # Density as the cube of the angle: mean 4/5 and variance 2/75 of the largest, squared.
    assert float(tilt.mean()) == pytest.approx(48, abs=0.2)
    assert float(tilt.var()) == pytest.approx(60**2 * 2 / 75, rel=0.03)
    assert float(lean(3, 0.0, 0.0, torch.Generator()).abs().max()) == 0
    with pytest.raises(ValueError, match=r"0 <= mean < largest < 90°, got 60\.0° and 40\.0°"):
        lean(3, 60.0, 40.0, torch.Generator())


def test_cores_lie_inside_and_apart(corona):
    cores = corona.parts[1]
    assert isinstance(cores, Blob)
    assert cores.positions.shape == (38, 3)
    assert overlaps(cores.positions, 65.0) == 0
    assert float(cores.positions.norm(dim=-1).max()) <= RADIUS - 60 - 65


def test_a_stretched_virion_keeps_its_volume_of_matter_per_area():
    axes = (1.0, 1.1, 1.2)
    long = virion(3, axes=axes)
    (spikes,) = long.copies()
    outside = (spikes.positions / torch.tensor(axes).double()).norm(dim=-1)
    assert outside.min() > RADIUS + 100
    shell = long.parts[0]
    on_axes = torch.diag(torch.tensor([1.0, 1.1, 1.2], dtype=torch.float64)) * RADIUS
    middle = shell.potential_at(on_axes)
    assert torch.allclose(middle, middle[:1].expand(3), rtol=1e-6)
    with pytest.raises(ValueError, match="axes must be 1 or more"):
        virion(axes=(0.9, 1.0, 1.0))


def test_same_seed_gives_the_same_virion_and_another_does_not(corona):
    again, other = virion(), virion(1)
    assert torch.equal(again.copies()[0].positions, corona.copies()[0].positions)
    assert torch.equal(again.parts[1].positions, corona.parts[1].positions)
    assert not torch.equal(other.copies()[0].positions, corona.copies()[0].positions)


def test_too_many_spikes_cores_or_m_proteins_are_refused():
    with pytest.raises(ValueError, match=r"only \d+ of 200 spikes stand free at a tilt of"):
        virion(spikes=200, spike_spacing=60.0)
    with pytest.raises(ValueError, match=r"only \d+ of 500 copies of ribonucleoproteins fit"):
        virion(rnps=500)
    with pytest.raises(ValueError, match="9000 M proteins do not fit"):
        virion(m_proteins=9000)
    with pytest.raises(ValueError, match="radius must exceed 65 Å, got 50"):
        virion(radius=50.0)


def test_shells_interpolate_and_end():
    shell = Shell(5.0, torch.tensor([0.0, 10.0]).double(), torch.tensor([2.0, 4.0]).double())
    points = torch.tensor([[0.0, 0, 0], [3.0, 4.0, 0], [0, 0, 10], [0, 0, 10.01]]).double()
    assert shell.potential_at(points).tolist() == pytest.approx([2, 3, 4, 0])
    wide = Shell(5.0, shell.radii, shell.values, (2.0, 1.0, 1.0))
    assert float(wide.potential_at(torch.tensor([10.0, 0, 0]).double())) == pytest.approx(3)
    blob = Blob(torch.zeros(1, 3).double(), 2.0, 5.0)
    assert float(blob.potential_at(torch.tensor([2.0, 0, 0]).double())) == pytest.approx(
        5 * math.exp(-0.5)
    )
    grid = torch.arange(-12.0, 12.5, 0.5, dtype=torch.float64)
    everywhere = torch.stack(torch.meshgrid(grid, grid, grid, indexing="ij"), -1)
    total = float(blob.potential_at(everywhere).sum()) * 0.5**3
    assert total == pytest.approx(blob.integral(), rel=1e-6)


def test_the_spheres_of_the_spike_hold_6vxx_and_its_head_is_up(shared_data):
    atoms: Atoms = read_structure(shared_data / "structures/6vxx.pdb.gz").centered()
    x = atoms.positions.double()
    # The threefold axis does not go through the middle of the bounding box.
    x = x - torch.tensor([float(x[:, 0].mean()), float(x[:, 1].mean()), 0.0]).double()
    assert -float(x[:, 2].min()) == pytest.approx(SPIKE_6VXX.foot, abs=0.1)
    place, size = torch.tensor(SPIKE_6VXX.body, dtype=torch.float64).T
    on_axis = torch.stack([0 * place, 0 * place, place], -1)
    inside = (torch.cdist(x, on_axis) <= size).any(-1)
    assert float(inside.double().mean()) > 0.99
    distance = x[:, :2].norm(dim=-1)
    assert distance[x[:, 2] > 0].mean() > 1.2 * distance[x[:, 2] < 0].mean()
