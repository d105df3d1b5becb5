"""The paths that a GPU takes, on one that is not there: `tests.helpers.pretend_gpu`."""

import pytest
import torch

from difftem.modules import (
    Beam,
    Detector,
    Dose,
    Instances,
    Lens,
    LorentzianMTF,
    Multislice,
    Particle,
    ParticleSpecimen,
    Potential,
    Simulator,
    Stage,
)
from difftem.ops.wave import transmit
from experiments.kernel_speed.cases import CASES, CHECKED
from experiments.kernel_speed.measure import everything
from tests.helpers.closeness import assert_agree
from tests.helpers.pretend_gpu import pretend_gpu
from tests.helpers.specimen import random_atoms

PIXEL, THICKNESS = 0.6, 2.0
needs_interpreter = pytest.mark.skipif(
    torch.cuda.is_available(), reason="kernels are interpreted only where there is no CUDA device"
)
pytestmark = needs_interpreter


def test_tensor_of_the_cpu_is_found_out():
    wave, v, sigma = torch.ones(4, 4, dtype=torch.complex64), torch.ones(4, 4), torch.tensor(0.1)
    with pretend_gpu() as traffic:
        there = transmit(wave.to("cuda"), v.to("cuda"), sigma)
        assert there.is_cuda
        assert traffic["transmit_fwd_kernel"] == 1
        with pytest.raises(RuntimeError, match="cuda:0 meets a tensor of the CPU"):
            wave.to("cuda") * v
        before = traffic["waits"]
        assert float(there.real.sum()) == pytest.approx(16 * torch.cos(sigma).item(), rel=1e-6)
        assert traffic["waits"] == before + 1


@pytest.mark.parametrize("case", CASES)
def test_output_and_gradients_of_every_op_are_those_of_the_cpu(case):
    truth = everything(CASES[case](CHECKED[case], torch.device("cpu"), torch.float64, 0))
    with pretend_gpu() as traffic:
        found = everything(CASES[case](CHECKED[case], torch.device("cuda"), torch.float32, 0))
        assert all(each.is_cuda for each in found)
        found = [each.cpu() for each in found]
    kernels = [name for name in traffic if name.endswith("_kernel")]
    assert any("fwd" in name for name in kernels) or case == "propagate"
    assert kernels
    assert_agree(
        found, [exact.to(ours.dtype) for exact, ours in zip(truth, found, strict=True)], 2e-4
    )


def particles_simulator():
    volume = torch.randn(8, 8, 8, generator=torch.Generator().manual_seed(1))
    positions = torch.tensor([[-8.0, 3.0, -25.0], [6.0, 9.0, 4.0], [2.0, -11.0, 31.0]])
    vectors = 0.4 * torch.arange(9.0).reshape(3, 3)
    instances = Instances("one", positions, rotation_vectors=vectors, learnable=["positions"])
    particle = Particle(volume, 2.0, learnable=["volume"])
    specimen = ParticleSpecimen({"one": particle}, [instances], (36, 40), 2.0, 30.0)
    return Simulator(
        specimen,
        Multislice(2.0, 30.0),
        Lens(2.0, defocus_um=1.0),
        Dose(20.0, 2.0),
        Detector(LorentzianMTF()),
        stage=Stage(30.0),
    )


def atoms_simulator():
    atoms = random_atoms(12, (10.0, 10.0, 8.0), (6, 7, 8), (20.0, 40.0))
    learned = ["positions", "b_factors"]
    return Simulator(
        Potential(
            atoms, (28, 36), PIXEL, 4, THICKNESS, interpolate_z=True, solvated=True,
            learnable=learned,
        ),
        Multislice(PIXEL, THICKNESS, amplitude_contrast=0.1, learnable=["amplitude_contrast"]),
        Lens(PIXEL, defocus_um=0.05, learnable=["defocus_um"]),
        Dose(30.0, PIXEL),
        Detector(LorentzianMTF(), gain=3.0, dqe0=0.8, read_noise=0.5, dark=7.0),
        Beam(300.0, learnable=["voltage_kv"]),
        shape=(20, 22),
    )  # fmt: skip


def whole_chain(simulator):
    """Expected counts and the gradients of all that is learned, and one exposure."""
    expected = simulator.expected_counts(simulator.intensity())
    counts, micrograph = simulator.read_out(expected.detach())
    assert counts.device == micrograph.device == expected.device
    loss = (expected.float() - expected.mean().detach().float()).square().mean()
    learned = [p for p in simulator.parameters() if p.requires_grad]
    return [expected.detach(), *torch.autograd.grad(loss, learned)]


@pytest.mark.parametrize(
    ("make", "n_learned", "kernels"),
    [
        (
            atoms_simulator, 5,
            ["spread_fwd", "spread_bwd", "sum_layers", "transmit_fwd", "transmit_bwd", "propagate"],
        ),
        (
            particles_simulator, 2,
            [
                "interpolate_fwd", "interpolate_bwd", "add_patches_fwd", "add_patches_bwd",
                "transmit_fwd", "transmit_bwd", "propagate",
            ],
        ),
    ],
)  # fmt: skip
def test_whole_microscope_and_its_gradients_are_those_of_the_cpu(make, n_learned, kernels):
    truth = whole_chain(make().to(torch.float32))
    assert len(truth) == 1 + n_learned
    with pretend_gpu() as traffic:
        found = [each.cpu() for each in whole_chain(make().to("cuda", torch.float32))]
    assert all(traffic[f"{name}_kernel"] for name in kernels), traffic
    assert_agree(found, truth, 1e-3)


@pytest.mark.parametrize("given", ["stacked", "atoms"])
def test_host_waits_for_nothing_between_the_slices(given):
    """However many slices there are: else the GPU idles after each."""
    waits = []
    for n_slices in (3, 9):
        atoms = random_atoms(12, (10.0, 10.0, 6.0), (6, 8), (20.0, 40.0))
        with pretend_gpu() as traffic:
            one = Potential(
                atoms, (20, 36), PIXEL, n_slices, THICKNESS, learnable=["positions"]
            ).to("cuda", torch.float32)
            beam, multislice = Beam(300.0).to("cuda"), Multislice(PIXEL, THICKNESS)
            stack = torch.rand(n_slices, 20, 36, device="cuda").requires_grad_()
            source = one.source() if given == "atoms" else stack
            traffic.clear()
            multislice(source, beam).real.sum().backward()
            waits.append((traffic["waits"], traffic["sent"]))
            assert traffic["propagate_kernel"] >= 3 * n_slices - 3
    assert waits[0] == waits[1], waits


@pytest.mark.parametrize("thickness", [30.0, 3.9])
@pytest.mark.parametrize("graded", [True, False])
def test_host_waits_as_often_for_many_copies_in_a_slice_as_for_few(
    generator, monkeypatch, thickness, graded
):
    waits = []
    for n_copies, n_chunks in ((2, 1), (5, 1), (5, 5)):
        particle = Particle(torch.randn(4, 4, 4, generator=generator), 2.0, radius=3.0)
        positions = torch.nn.functional.pad(
            15 * torch.randn(n_copies, 2, generator=generator), (0, 1)
        )
        instances = Instances("one", positions, learnable=["positions", "rotation_vectors"])
        specimen = ParticleSpecimen(
            {"one": particle}, [instances], (26, 24), 2.0, thickness, max_frequency=0.08
        )
        if n_chunks > 1:
            monkeypatch.setattr("difftem.modules.project_particles.GPU_CHUNK_POINTS", 1)
        with pretend_gpu() as traffic, torch.set_grad_enabled(graded):
            specimen = specimen.to("cuda", torch.float32)
            shift, wavelength = torch.zeros(2, device="cuda"), torch.tensor(0.02, device="cuda")
            placed = specimen.place(torch.eye(3, device="cuda"), shift)
            assert placed[0].thick == (thickness < 4)
            traffic.clear()
            _, field = next(specimen.slices(placed, wavelength))
            if graded:
                field.abs().square().sum().backward()
            assert traffic["add_patches_fwd_kernel"] == n_chunks
            assert traffic["add_patches_bwd_kernel"] == n_chunks * graded
            waits.append((traffic["waits"], traffic["sent"]))
    assert waits[0] == waits[1], waits
    assert waits[0][0] == waits[2][0] <= 5, waits  # chunks only send constants
    assert waits[0][1] <= 14
