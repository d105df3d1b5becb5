import math

import pytest
import torch

from difftem.atoms import Atoms
from difftem.functional.pose import random_rotations, rotation_from_vector
from difftem.functional.projection import FINE
from difftem.modules import Potential
from difftem.modules.instances import Instances
from difftem.modules.particle import Particle
from difftem.modules.particle_specimen import ParticleSpecimen
from difftem.modules.particles_in_view import slice_range

PIXEL = 2.0
LAMBDA = torch.tensor(0.0197, dtype=torch.float64)
UPRIGHT, STILL = torch.eye(3, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)


def molecule(generator, n_atoms=200, radius=20.0):
    positions = torch.randn(n_atoms, 3, generator=generator, dtype=torch.float64)
    positions = positions / positions.norm(dim=1, keepdim=True)
    radii = radius * torch.rand(n_atoms, 1, generator=generator, dtype=torch.float64) ** (1 / 3)
    numbers = torch.tensor([6, 7, 8])[torch.randint(3, (n_atoms,), generator=generator)]
    return Atoms(
        positions * radii,
        numbers,
        torch.full((n_atoms,), 60.0, dtype=torch.float64),
        torch.ones(n_atoms, dtype=torch.float64),
    )


def template(atoms, n=48, **kwargs):
    potential = Potential(atoms, (n, n), PIXEL, 1, n * PIXEL, band_limit=0.8, taper=0.1)
    return Particle(potential.render((n, n, n), PIXEL), PIXEL, radius=26.0, **kwargs)


def specimen(particle, positions, rotations=None, shape=(96, 80), thickness=50.0, **kwargs):
    instances = Instances("molecule", positions, rotations)
    return ParticleSpecimen({"molecule": particle}, [instances], shape, PIXEL, thickness, **kwargs)


def summed(made, stage=UPRIGHT, shift=STILL):
    placed = made.place(stage, shift)
    return torch.stack([slice_ for _, slice_ in made.slices(placed, LAMBDA)]).sum(0)


def test_projected_templates_equal_the_projected_atoms(generator):
    """The template's way and the atoms' own way to the same projected potential."""
    atoms = molecule(generator)
    positions = torch.tensor([[-31.3, 20.2, 4.0], [28.0, -44.7, -9.0]], dtype=torch.float64)
    rotations = random_rotations(2, generator)
    stage = rotation_from_vector(torch.tensor([0.1, 0.4, -0.2], dtype=torch.float64))
    shift = torch.tensor([3.1, -5.2], dtype=torch.float64)
    made = specimen(template(atoms, interpolation=FINE), positions, rotations, depth="ignored")
    image = summed(made, stage, shift)
    copies = atoms.copies(rotations, positions).rotated(stage)
    copies = copies.translated(torch.cat([shift, torch.zeros(1, dtype=torch.float64)]))
    truth = Potential(copies, (96, 80), PIXEL, 1, 500.0, taper=0.05)()[0]
    assert not image.is_complex()
    # The edge of the band rings a little beyond the patch; 5e-3 for a particle of ten pixels.
    assert float((image - truth).std() / truth.std()) < 7e-3


def test_each_particle_lies_in_the_slice_nearest_to_its_center(generator):
    heights = torch.tensor([-130.0, -24.9, 24.9, 25.1, 60.0], dtype=torch.float64)
    positions = torch.nn.functional.pad(heights[:, None], (2, 0))
    made = specimen(template(molecule(generator)), positions, depth="ignored", thickness=50.0)
    placed = made.place(UPRIGHT, STILL)
    assert placed[0].first.tolist() == placed[0].last.tolist() == [-3, 0, 0, 1, 1]
    planes = [plane for plane, _ in made.slices(placed, LAMBDA)]
    assert planes == [-150.0, -100.0, -50.0, 0.0, 50.0]
    weights = [float(slice_.sum()) for _, slice_ in made.slices(placed, LAMBDA)]
    one = weights[0]
    assert weights == pytest.approx([one, 0, 0, 2 * one, 2 * one], rel=1e-3, abs=1e-3 * one)


def test_a_thick_particle_is_shared_among_slices_and_none_of_it_is_lost(generator):
    particle = template(molecule(generator), interpolation=FINE)
    position = torch.tensor([[5.0, 3.0, 4.0]], dtype=torch.float64)
    thin = specimen(particle, position, depth="ignored", thickness=60.0)
    cut = specimen(particle, position, depth="ignored", thickness=10.0)
    placed = cut.place(UPRIGHT, STILL)
    assert placed[0].thick and not thin.place(UPRIGHT, STILL)[0].thick
    assert len(slice_range(placed)) >= 6
    whole = summed(thin)
    assert float((summed(cut) - whole).std() / whole.std()) < 3e-3


@pytest.mark.parametrize("thickness", [10.0, 100.0])
def test_a_tilted_beam_moves_what_is_not_in_a_slices_plane(generator, thickness):
    # Matter at z is seen in the plane of its slice where the beam through it meets that plane.
    atoms = molecule(generator)
    position = torch.tensor([[5.0, 3.0, 30.0]], dtype=torch.float64)
    made = specimen(template(atoms), position, thickness=thickness, depth="particle")
    placed = made.place(UPRIGHT, STILL)
    tilt = torch.tensor([0.02, -0.05], dtype=torch.float64)
    y, x = (((torch.arange(n) - n // 2) * PIXEL).double() for n in made.shape)

    def moment(tilt):
        """Of all slices: where each has its matter, less the way there from the plane z = 0."""
        total, whole = torch.zeros(2, dtype=torch.float64), 0.0
        for plane, field in made.slices(placed, LAMBDA, tilt):
            real = field.real.double()
            along = 0.0 if tilt is None else plane * tilt
            sums = torch.stack([(real * x).sum(), (real * y[:, None]).sum()])
            total, whole = total + sums - real.sum() * along, whole + real.sum()
        return total / whole

    still, moved = moment(None), moment(tilt)
    # A particle's centre of matter may lie beside its origin.
    height = 30.0 + float((atoms.positions[:, 2]).mean())
    assert torch.allclose(moved - still, -height * tilt, atol=0.1)


def test_slices_as_thin_as_two_voxels_hold_what_is_near_their_planes(generator):
    # Planes of the Fourier volume beyond the image's own band limit are asked for.
    whole = template(molecule(generator), interpolation=FINE)
    position = torch.zeros(1, 3, dtype=torch.float64)
    thickness = 2 * PIXEL
    cut = specimen(whole, position, depth="ignored", thickness=thickness)
    z = (torch.arange(48) - 24) * PIXEL
    for plane, found in cut.slices(cut.place(UPRIGHT, STILL), LAMBDA):
        away = ((z - plane) / thickness).clamp(-1, 1)
        window = torch.cos(math.pi / 2 * away) ** 2
        part = Particle(whole.volume * window[:, None, None], PIXEL, radius=26.0)
        alone = specimen(part, position, depth="ignored", thickness=1000.0, cut=False)
        if abs(plane) <= 16:
            expected = summed(alone)
            assert float((found - expected).std() / expected.std()) < 1e-2


def test_an_empty_specimen_has_the_type_it_is_given_or_moved_to():
    kinds = []
    for made in (
        ParticleSpecimen({}, [], (16, 12), 2.0, 50.0),
        ParticleSpecimen({}, [], (16, 12), 2.0, 50.0, dtype=torch.float64),
        ParticleSpecimen({}, [], (16, 12), 2.0, 50.0).double(),
    ):
        ((_, field),) = made.slices(made.place(UPRIGHT, STILL), LAMBDA)
        kinds.append(field.dtype)
        assert made.state_dict() == {}
    assert kinds == [torch.float32, torch.float64, torch.float64]


def test_what_lies_outside_the_field_is_not_drawn(generator):
    far = torch.tensor([[500.0, 0.0, 0.0], [0.0, 125.0, 900.0], [0, 90.0, 0]], dtype=torch.float64)
    made = specimen(template(molecule(generator)), far)
    (placed,) = made.place(UPRIGHT, STILL)
    assert len(placed.positions) == 1
    assert list(slice_range([placed])) == [0]


def test_an_empty_specimen_is_one_empty_slice():
    made = ParticleSpecimen({}, [], (16, 12), 2.0, 50.0)
    ((plane, field),) = made.slices(made.place(UPRIGHT, STILL), LAMBDA)
    assert plane == 0.0
    assert field.shape == (16, 12)
    assert not field.any()


def test_gradients_to_poses_pass_finite_differences(generator):
    particle = template(molecule(generator, 40, 10.0), 30)
    positions = 6 * torch.randn(2, 3, generator=generator, dtype=torch.float64)
    vectors = 0.3 * torch.randn(2, 3, generator=generator, dtype=torch.float64)
    rotations = random_rotations(2, generator)
    weights = torch.randn(40, 40, generator=generator, dtype=torch.float64)

    def loss(positions, vectors):
        instances = Instances(
            "a", positions, rotations, vectors, learnable=["positions", "rotation_vectors"]
        )
        made = ParticleSpecimen({"a": particle}, [], (40, 40), PIXEL, 100.0, depth="slice")
        made.instances.append(instances)
        # The parameters are copies: give the graph the originals.
        del instances.positions, instances.rotation_vectors
        instances.positions, instances.rotation_vectors = positions, vectors
        image = summed(made)
        return (weights * (image.real + image.imag)).mean()

    inputs = (positions.requires_grad_(), vectors.requires_grad_())
    assert torch.autograd.gradcheck(loss, inputs, eps=1e-7, atol=1e-5)


def test_learned_poses_and_templates_get_gradients(generator):
    particle = template(molecule(generator, 40, 10.0), 30, learnable=["volume"])
    instances = Instances("a", torch.zeros(2, 3), learnable=["positions", "rotation_vectors"])
    made = ParticleSpecimen({"a": particle}, [instances], (40, 40), PIXEL, 100.0)
    summed(made).abs().square().sum().backward()
    for parameter in made.parameters():
        assert parameter.grad is not None
        assert bool(torch.isfinite(parameter.grad).all())
    assert float(particle.volume.grad.abs().max()) > 0


def test_chunks_do_not_change_the_image(generator, monkeypatch):
    positions = 30 * torch.randn(6, 3, generator=generator, dtype=torch.float64)
    made = specimen(template(molecule(generator)), positions)
    image = summed(made)
    monkeypatch.setattr("difftem.modules.project_particles.CHUNK_POINTS", 1)
    assert torch.allclose(summed(made), image, rtol=0, atol=1e-12 * float(image.abs().max()))


@pytest.mark.parametrize("thickness", [10.0, 50.0])
def test_threads_do_not_change_a_bit_of_a_slice(generator, monkeypatch, thickness):
    monkeypatch.setattr("difftem.modules.project_particles.CHUNK_POINTS", 3_000)
    positions = 40 * torch.randn(12, 3, generator=generator, dtype=torch.float64)
    made = specimen(
        template(molecule(generator)),
        positions,
        random_rotations(12, generator),
        thickness=thickness,
    )
    before, images = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        with torch.no_grad():
            images.append(summed(made))
    torch.set_num_threads(before)
    assert bool(images[0].any())
    assert torch.equal(*images)


def test_a_particle_turns_about_its_center(generator):
    atoms = molecule(generator)
    off = (7.0, -4.0, 5.0)
    moved = atoms.translated(torch.tensor(off, dtype=torch.float64))
    rotations = random_rotations(1, generator)
    at = torch.tensor([[11.0, 13.0, 2.0]], dtype=torch.float64)
    plain = summed(specimen(template(atoms, interpolation=FINE), at, rotations))
    centered = template(moved, interpolation=FINE, center=off)
    other = summed(specimen(centered, at, rotations))
    assert float((plain - other).abs().std() / plain.abs().std()) < 1e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixel_size": 0.0}, "pixel_size"),
        ({"slice_thickness": math.nan}, "slice_thickness"),
        ({"depth": "deep"}, "depth must be one of ignored, particle, slice"),
        ({"instances": [Instances("b", torch.zeros(1, 3))]}, "unknown particle 'b'"),
    ],
)
def test_impossible_specimens_are_refused(change, message):
    arguments = {
        "particles": {"a": Particle(torch.ones(4, 4, 4), 2.0)},
        "instances": [],
        "shape": (8, 8),
        "pixel_size": 2.0,
        "slice_thickness": 50.0,
    }
    with pytest.raises(ValueError, match=message):
        ParticleSpecimen(**{**arguments, **change})
