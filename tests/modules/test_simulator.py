import pytest
import torch

from difftem.functional.solvent import ice_absorption_potential
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    FlatIce,
    Lens,
    LorentzianMTF,
    Multislice,
    Pose,
    Potential,
    Simulator,
    Stage,
)
from tests.helpers.specimen import make_atoms, random_atoms, relative_rms

FIELD, IMAGE, PIXEL = (28, 26), (20, 22), 0.6


def simulator(atoms=None, *, dtype=torch.float64, dose=30.0, defocus=0.05, pose=None, **given):
    atoms = random_atoms(12, (10.0, 10.0, 8.0), (6, 7, 8), (20.0, 40.0)) if atoms is None else atoms
    parts = {
        "specimen": Potential(atoms, FIELD, PIXEL, 4, 2.0, pose=pose),
        "multislice": Multislice(PIXEL, 2.0),
        "lens": Lens(PIXEL, defocus_um=defocus),
        "dose": Dose(dose, PIXEL),
        "detector": Detector(LorentzianMTF(), gain=3.0, dqe0=0.8, read_noise=0.5, dark=7.0),
        "shape": IMAGE,
    }
    return Simulator(**(parts | given)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_intermediate_has_its_shape_and_type(dtype, generator):
    exposure = simulator(dtype=dtype)(generator)
    complex_type = torch.promote_types(dtype, torch.complex64)
    for wave in (exposure.exit_wave, exposure.image_wave):
        assert wave.shape == FIELD
        assert wave.dtype == complex_type
    for image in (exposure.expected_counts, exposure.counts, exposure.micrograph):
        assert image.shape == IMAGE
        assert image.dtype == dtype
    assert (exposure.counts == exposure.counts.round()).all()
    assert (exposure.expected_counts > 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("coherence", ["envelope", "sum"])
def test_vacuum_gives_the_dose_in_every_pixel(dtype, coherence):
    nothing = make_atoms([[0.0, 0.0, 0.0]], [1], 20.0, 1e-30)
    lens = Lens(PIXEL, defocus_um=2.0, source_semiangle_mrad=0.05, aperture_mrad=15.0,
                coherence=coherence)  # fmt: skip
    beam = Beam(200.0, (1.0, -2.0))
    one = simulator(nothing, dtype=dtype, lens=lens, beam=beam)
    expected = one().expected_counts
    torch.testing.assert_close(expected, torch.full(IMAGE, 30.0 * PIXEL**2, dtype=dtype))


def test_ice_lowers_the_counts_by_its_absorption_along_the_tilted_path():
    nothing = make_atoms([[0.0, 0.0, 0.0]], [1], 20.0, 1e-30)
    tilts = torch.tensor([0.0, 45.0, -60.0], dtype=torch.float64)
    length = 1 / torch.cos(torch.deg2rad(tilts))
    one = simulator(nothing, stage=Stage(tilts), ice=FlatIce(40.0, 300.0))
    fraction = one().expected_counts.mean((1, 2)) / (30 * PIXEL**2)
    torch.testing.assert_close(fraction, torch.exp(-40 / 300 * length), rtol=1e-6, atol=0)
    # None: every scattered electron is lost, 101 nm at 300 kV.
    lenz = simulator(nothing, ice=FlatIce(40.0, None))
    path = 1 / (2 * lenz.beam.sigma * ice_absorption_potential(lenz.beam.energy)) / 10
    assert path.item() == pytest.approx(100.93, abs=0.01)
    fraction = lenz().expected_counts.mean().item() / (30 * PIXEL**2)
    assert fraction == pytest.approx(torch.exp(-40 / path).item(), rel=1e-6)


def test_same_seed_gives_the_same_bits_and_another_seed_does_not():
    one = simulator()
    a, b, c = (one(torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert torch.equal(a.expected_counts, c.expected_counts)
    assert not torch.equal(a.counts, c.counts)
    assert not torch.equal(a.micrograph, c.micrograph)


def test_nothing_is_random_but_through_the_generator(generator):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    simulator()(generator)
    assert torch.equal(state, torch.get_rng_state())


def test_single_precision_agrees_with_double():
    double = simulator()().expected_counts
    single = simulator(dtype=torch.float32)().expected_counts
    torch.testing.assert_close(single.double(), double, rtol=2e-5, atol=0)


def test_every_device_gives_the_same_expected_counts(device):
    given = {
        "ice": FlatIce(20.0),
        "beam": Beam(200.0, (1.0, 0.5)),
        "pose": Pose((0.1, 0.2, 0.3)),
        "stage": Stage(torch.tensor([0.0, 10.0])),
    }
    lens = {"aperture_mrad": 12.0, "source_semiangle_mrad": 0.05, "astigmatism_um": 0.01}
    for coherence in ("envelope", "sum"):
        given["lens"] = Lens(PIXEL, **lens, coherence=coherence, n_focus=3, n_source=2)
        expected = simulator(dtype=torch.float32, **given)().expected_counts
        exposure = simulator(dtype=torch.float32, **given).to(device)(
            torch.Generator(device).manual_seed(0)
        )
        assert exposure.micrograph.device.type == device.type
        torch.testing.assert_close(exposure.expected_counts.cpu(), expected, rtol=1e-4, atol=0)


def test_exit_wave_is_reused_for_another_focus():
    one = simulator()
    wave = one.exit_wave()
    refocused = simulator(defocus=0.2)
    _, intensity = refocused.image(wave)
    direct = refocused().expected_counts
    torch.testing.assert_close(refocused.expected_counts(intensity), direct, rtol=1e-12, atol=0)


def test_tilt_focus_and_dose_are_batch_axes_and_equal_a_loop():
    tilts = torch.tensor([-20.0, 0.0, 35.0], dtype=torch.float64)
    focus = torch.tensor([[0.05], [-0.03]], dtype=torch.float64)
    dose = torch.tensor([5.0, 10.0, 20.0, 40.0], dtype=torch.float64)[:, None, None]
    series = simulator(stage=Stage(tilts), defocus=focus, dose=dose)
    exposure = series(torch.Generator().manual_seed(0))
    assert exposure.exit_wave.shape == (3, *FIELD)
    assert exposure.image_wave.shape == (2, 3, *FIELD)
    for image in (exposure.expected_counts, exposure.counts, exposure.micrograph):
        assert image.shape == (4, 2, 3, *IMAGE)
    for i, j, k in [(0, 0, 0), (3, 1, 2), (2, 0, 1)]:
        alone = simulator(
            stage=Stage(tilts[k]), defocus=focus[j, 0], dose=dose[i, 0, 0]
        )().expected_counts
        torch.testing.assert_close(exposure.expected_counts[i, j, k], alone, rtol=1e-12, atol=0)


def test_streaming_without_gradients_gives_what_stacking_with_gradients_does():
    one = simulator()
    stacked = one().expected_counts
    seen = []

    def count(slices, n):
        assert n == 4
        for each in slices:
            seen.append(each.shape)
            yield each

    with torch.no_grad():
        streamed = one().expected_counts
        torch.testing.assert_close(
            one.exit_wave(progress=count).wave, one.exit_wave().wave, rtol=0, atol=0
        )
    assert len(seen) == 4
    torch.testing.assert_close(streamed, stacked, rtol=1e-12, atol=0)


def test_module_may_be_saved_and_loaded():
    one, other = simulator(), simulator(dose=99.0, defocus=1.0)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one().expected_counts, other().expected_counts)


def test_stages_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ValueError, match="share one pixel size"):
        simulator(lens=Lens(0.7))
    with pytest.raises(ValueError, match="share one slice thickness"):
        simulator(multislice=Multislice(PIXEL, 3.0))
    with pytest.raises(ValueError, match="must fit into the field"):
        simulator(shape=(40, 10))


@pytest.mark.parametrize("scattering", ["projection", "weak_phase"])
def test_a_thin_weak_object_looks_the_same_however_it_is_scattered(scattering):
    atoms = make_atoms([[0.0, 0.0, 0.0], [3.0, 1.0, 0.0]], [1, 1], 60.0)
    images = {}
    for mode in ("multislice", scattering):
        potential = Potential(atoms, (48, 48), 0.5, 1, 2.0)
        simulator = Simulator(
            potential,
            Multislice(0.5, 2.0, scattering=mode),
            Lens(0.5, defocus_um=0.05, cs_mm=1.0),
            Dose(1.0, 0.5),
            Detector(),
        )
        with torch.no_grad():
            images[mode] = simulator().expected_counts
    thick, thin = images["multislice"], images[scattering]
    assert (thick - thin).abs().max() < 2e-2 * (thick - thick.mean()).abs().max()


def test_unknown_scattering_is_refused():
    with pytest.raises(ValueError, match="scattering must be one of multislice, projection"):
        Multislice(0.5, 2.0, scattering="born")


def test_a_part_switched_on_after_construction_counts():
    atoms = make_atoms([[0.0, 0.0, 0.0]], [6], 30.0)
    lens = Lens(0.5, defocus_um=0.1)
    simulator = Simulator(
        Potential(atoms, (32, 32), 0.5, 1, 2.0),
        Multislice(0.5, 2.0),
        lens,
        Dose(1.0, 0.5),
        Detector(),
    )
    with torch.no_grad():
        before = simulator().expected_counts
        lens.astigmatism_um.fill_(0.05)
        after = simulator().expected_counts
    assert (after - before).abs().max() > 1e-4 * before.mean()


def test_a_tilt_by_its_index_is_that_of_the_series():
    tilts = torch.tensor([-20.0, 0.0, 35.0], dtype=torch.float64)
    offsets = torch.tensor([0.0, 0.1, -0.2], dtype=torch.float64)
    dose = torch.tensor([10.0, 20.0, 30.0], dtype=torch.float64)
    one = simulator(
        stage=Stage(tilts), defocus_offset_um=offsets, dose=dose, ice=FlatIce(30.0, 200.0)
    )
    series = one().expected_counts
    for tilt in range(3):
        alone = one.expected_counts(one.intensity(tilt), tilt)
        torch.testing.assert_close(series[tilt], alone, rtol=1e-10, atol=0)
    some = one(tilts=[2, 0])
    torch.testing.assert_close(some.expected_counts, series[[2, 0]], rtol=1e-10, atol=0)


def test_noise_free_is_the_mean_of_many_exposures():
    one = simulator(dose=300.0)
    clean = one.noise_free()
    assert torch.equal(clean, one.detector.expected(one().expected_counts))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        counts = one().expected_counts
        mean = sum(one.read_out(counts, generator)[1] for _ in range(400)) / 400
        one_exposure = one.read_out(counts, generator)[1]
    assert (mean - clean).std() < 0.07 * (one_exposure - clean).std()
    assert abs(float((mean - clean).mean())) < 0.002 * float(clean.mean())


def test_pose_and_stage_shift_the_image():
    still = simulator()().expected_counts
    moved = simulator(pose=Pose(shift=(2 * PIXEL, -PIXEL, 0.0)))().expected_counts
    shifted = simulator(
        stage=Stage(shift=torch.tensor([[2 * PIXEL, -PIXEL]], dtype=torch.float64))
    )().expected_counts
    torch.testing.assert_close(moved, shifted, rtol=1e-6, atol=0)
    assert relative_rms(moved[2:-3, 3:-2], still[3:-2, 1:-4]) < 1e-3
