"""Every continuous quantity of the microscope has the right derivative, in double precision."""

import pytest
import torch
from torch.func import functional_call

from difftem.modules import (
    Beam,
    Detector,
    Dose,
    FlatIce,
    GaussLorentzSincMTF,
    Lens,
    LogSplineMTF,
    LorentzianMTF,
    Multislice,
    Pose,
    Potential,
    RullgardMTF,
    Simulator,
    Stage,
    TabulatedMTF,
)
from tests.helpers.specimen import make_atoms, quantities

SHAPE, PIXEL, THICKNESS = (16, 18), 0.7, 3.0

# Learnable names by stage of the simulator.
STAGES = {
    "specimen": ("positions", "b_factors", "occupancies"),
    "specimen.pose": ("rotation_vector", "shift"),
    "stage": ("tilt_deg", "tilt_axis_deg", "shift", "in_plane_deg"),
    "beam": ("voltage_kv", "tilt_mrad"),
    "multislice": ("amplitude_contrast",),
    "ice": ("thickness_nm", "mean_free_path_nm"),
    "lens": (
        "defocus_um",
        "cs_mm",
        "astigmatism_um",
        "astigmatism_angle_deg",
        "C21a",
        "C34b",
        "phase_shift",
        "phase_plate_cut_on",
        "aperture_mrad",
        "aperture_softness_mrad",
        "cc_mm",
        "energy_spread_ev",
        "current_instability",
        "voltage_instability",
        "source_semiangle_mrad",
    ),
    "dose": ("dose_e_per_a2",),
}
FAMILIES = {
    "lorentzian": (LorentzianMTF, {}),
    "rullgard": (RullgardMTF, {"p": 1.4, "q": 0.7}),
    "gauss": (GaussLorentzSincMTF, {}),
    "spline": (LogSplineMTF, {"log_values": [-0.2, -0.9, -1.6, -2.0]}),
    "table": (TabulatedMTF, {"frequency": [0.0, 0.2, 0.5, 0.8], "curve": [2.0, 1.0, 0.4, 0.1]}),
}


def simulator(coherence="envelope", lenz=False):
    atoms = make_atoms(
        [[-2.1, 1.3, -3.1], [1.7, 0.4, 0.4], [0.6, -2.2, 2.2], [2.5, 2.4, -0.7]],
        [6, 8, 16, 26],
        [20.0, 25.0, 30.0, 35.0],
        [1.0, 0.9, 0.8, 0.7],
    )
    lens = quantities(
        defocus_um=0.08,
        cs_mm=1.2,
        astigmatism_um=0.02,
        astigmatism_angle_deg=25.0,
        phase_shift=0.5,
        phase_plate_cut_on=0.02,
        aperture_mrad=13.0,
        aperture_softness_mrad=3.0,
        cc_mm=2.0,
        energy_spread_ev=1.0,
        current_instability=2e-6,
        voltage_instability=3e-6,
        source_semiangle_mrad=0.8,
    )
    higher = quantities(C21a=3e4, C34b=2e6)
    wanted = STAGES["ice"][:1] if lenz else STAGES["ice"]
    return Simulator(
        Potential(
            atoms,
            SHAPE,
            PIXEL,
            4,
            THICKNESS,
            interpolate_z=True,
            pose=Pose((0.1, -0.2, 0.3), (0.4, 0.3, -0.5), learnable=STAGES["specimen.pose"]),
            learnable=STAGES["specimen"],
        ),
        Multislice(PIXEL, THICKNESS, amplitude_contrast=0.1, learnable=STAGES["multislice"]),
        Lens(
            PIXEL,
            **lens,
            aberrations=higher,
            coherence=coherence,
            n_focus=2,
            n_source=2,
            learnable=STAGES["lens"],
        ),
        Dose(20.0, PIXEL, learnable=STAGES["dose"]),
        Detector(),
        Beam(200.0, (2.0, -1.0), learnable=STAGES["beam"]),
        Stage(8.0, 70.0, learnable=STAGES["stage"]),
        FlatIce(20.0, None if lenz else 200.0, learnable=wanted),
    ).double()


class ExpectedCounts(torch.nn.Module):
    """Expected counts of a simulator, with nothing drawn."""

    def __init__(self, simulator):
        super().__init__()
        self.simulator = simulator

    def forward(self):
        return self.simulator.expected_counts(self.simulator.intensity())


class ExpectedMicrograph(torch.nn.Module):
    """Noise-free micrograph of given expected counts."""

    def __init__(self, detector):
        super().__init__()
        self.detector = detector
        y, x = (torch.arange(n, dtype=torch.float64) for n in (8, 9))
        self.counts = 20 + 5 * torch.cos(y)[:, None] * torch.sin(x) + y[:, None]

    def forward(self):
        return self.detector.expected(self.counts)


def plain(name):
    """Name of a quantity without what constrains it."""
    return name.split(".original")[0].replace(".parametrizations", "")


def check(module, name, tolerance=2e-6):
    """Compare autograd with central differences for three projections of the output."""
    (full,) = [n for n, _ in module.named_parameters() if plain(n).endswith(name)]
    value = dict(module.named_parameters())[full].detach()
    generator = torch.Generator().manual_seed(0)
    reference = module().detach()
    weights = torch.randn(3, *reference.shape, generator=generator, dtype=torch.float64)

    def project(parameter, scale=1.0):
        output = functional_call(module, {full: parameter})
        return (weights * (output - reference)).flatten(1).sum(1) / scale

    leaf = value.clone().requires_grad_()
    jacobian = torch.autograd.functional.jacobian(project, leaf)
    scale = jacobian.abs().max()
    assert scale.isfinite() and scale > 0, f"{name} has no gradient"
    eps = 1e-5 * max(1.0, value.abs().max().item())
    assert torch.autograd.gradcheck(
        lambda p: project(p, scale), leaf, eps=eps, atol=tolerance, rtol=tolerance
    )


@pytest.fixture(scope="module")
def module():
    return ExpectedCounts(simulator())


@pytest.mark.parametrize("name", [f"{s}.{n}" for s, names in STAGES.items() for n in names]
)  # fmt: skip
def test_expected_counts_have_the_derivative_of_the_finite_difference(module, name):
    assert any(plain(n) == f"simulator.{name}" for n, _ in module.named_parameters())
    # The compressed species functions follow a change of B to 2e-4 of its effect, by their
    # tolerance of 2e-5 of the projection.
    check(module, f".{name}", 3e-4 if name.endswith("b_factors") else 2e-6)


@pytest.mark.parametrize(
    "name", ["defocus_um", "cc_mm", "source_semiangle_mrad", "voltage_kv", "tilt_mrad", "C34b"]
)
def test_explicit_sums_have_the_derivative_of_the_finite_difference(name):
    check(ExpectedCounts(simulator("sum")), f".{name}")


@pytest.mark.parametrize("name", ["thickness_nm", "voltage_kv"])
def test_lenz_absorption_has_the_derivative_of_the_finite_difference(name):
    check(ExpectedCounts(simulator(lenz=True)), f".{name}")


@pytest.mark.parametrize("name", ["gain", "dqe0", "dark"])
def test_expected_micrograph_has_the_derivative_of_the_finite_difference(name):
    detector = Detector(
        LorentzianMTF(), gain=2.0, dqe0=0.6, dark=3.0, learnable=("gain", "dqe0", "dark")
    )
    check(ExpectedMicrograph(detector.double()), f".{name}")


@pytest.mark.parametrize(
    ("family", "name"), [(f, n) for f, (cls, _) in FAMILIES.items() for n in cls.names]
)
def test_every_mtf_parameter_has_the_derivative_of_the_finite_difference(family, name):
    cls, given = FAMILIES[family]
    mtf = cls(**given, learnable=cls.names)
    check(ExpectedMicrograph(Detector(mtf, gain=2.0).double()), f".{name}")


def test_read_noise_and_ntf_have_gradients(generator):
    detector = Detector(
        LorentzianMTF(learnable=("alpha",)),
        RullgardMTF(learnable=("beta",)),
        read_noise=1.0,
        learnable=("read_noise",),
    ).double()
    expected = torch.full((6, 7), 9.0).double().requires_grad_()
    counts = torch.poisson(detector.rate(expected).detach(), generator=generator)
    weight = torch.arange(7).double()
    (detector(counts, expected, generator) * weight).sum().backward()
    gradients = [*(p.grad for p in detector.parameters()), expected.grad]
    assert len(gradients) == 4
    assert all(g is not None and g.isfinite().all() and g.abs().sum() > 0 for g in gradients)


@pytest.mark.parametrize(
    "given",
    [
        {"defocus_um": 0.1},
        {"defocus_um": 0.1, "aperture_mrad": 10.0},
        {"defocus_um": 0.1, "energy_spread_ev": 0.0},
        {"defocus_um": 0.1, "source_semiangle_mrad": 0.1},
    ],
)
@pytest.mark.parametrize("coherence", ["envelope", "sum"])
def test_gradients_are_finite_where_something_is_exactly_zero(given, coherence):
    # No tilt, no astigmatism, no energy spread: square roots and angles are singular there.
    learnable = ("defocus_um", "astigmatism_um", "astigmatism_angle_deg", "phase_shift", "cc_mm")
    names = set(learnable) | (set(given) & {"aperture_mrad", "source_semiangle_mrad"})
    one = simulator()
    one.lens = Lens(PIXEL, **given, coherence=coherence, n_focus=2, n_source=2,
                    learnable=tuple(names)).double()  # fmt: skip
    one.beam = Beam(200.0, learnable=("voltage_kv", "tilt_mrad")).double()
    one.specimen.pose = Pose(learnable=STAGES["specimen.pose"]).double()
    one.stage = Stage(learnable=STAGES["stage"]).double()
    module = ExpectedCounts(one)
    module().pow(2).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
