import math

import pytest
import torch

from difftem.functional.beam import interaction_constant, wavelength
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.multislice import fresnel_propagator, propagate
from difftem.modules import Lens
from tests.helpers.beam import beam_of
from tests.helpers.specimen import make_atoms, pixel_axes, project, relative_rms

ENERGY = torch.tensor(200e3, dtype=torch.float64)
LAM = wavelength(ENERGY)
SIGMA = interaction_constant(ENERGY)
BEAM = beam_of(ENERGY)
PIXEL = 0.5
PERFECT = {"cs_mm": 0.0, "cc_mm": 0.0, "defocus_um": 0.0}


def lens(**given):
    """Make a lens in double precision that is perfect but for what is given."""
    exact = {
        name: torch.tensor(value, dtype=torch.float64) if isinstance(value, float) else value
        for name, value in (PERFECT | given).items()
    }
    return Lens(PIXEL, **exact)


def grating(shape, ky, kx, strength=1e-4):
    """Weak phase object of one spatial frequency, a whole number of periods each way."""
    y, x = (torch.arange(n, dtype=torch.float64) for n in shape)
    phase = 2 * math.pi * (ky * y[:, None] / shape[0] + kx * x / shape[1])
    return torch.exp(1j * strength * torch.cos(phase))


def contrast(intensity, strength=1e-4):
    """Amplitude of the image of a weak grating over that of its phase, with sign at pixel 0."""
    return (intensity[..., 0, 0] - 1) / strength


def dot(shape, strength=1e-3, width=1.5):
    """Weak phase object: one smooth bump in the centre."""
    y, x = pixel_axes(shape, PIXEL)
    return torch.exp(1j * strength * torch.exp(-(y[:, None] ** 2 + x**2) / (2 * width**2)))


def centroid(image, background=1.0):
    """Centre of what differs from the background, (x, y) in Å."""
    excess = image - background
    y, x = pixel_axes(image.shape[-2:], PIXEL)
    total = excess.sum((-2, -1))
    cx, cy = (excess * x).sum((-2, -1)) / total, (excess * y[:, None]).sum((-2, -1)) / total
    return torch.stack([cx, cy], -1)


def test_perfect_lens_in_focus_gives_back_the_exit_wave():
    generator = torch.Generator().manual_seed(0)
    wave = torch.randn(2, 12, 15, generator=generator, dtype=torch.complex128)
    assert (lens()(wave, BEAM) - wave).abs().max() < 1e-13
    assert (lens().intensity(wave, BEAM) - wave.abs() ** 2).abs().max() < 1e-12


@pytest.mark.parametrize("zero", [1, 2, 3])
def test_grating_vanishes_at_the_analytic_zeros_of_defocus_and_cs(zero):
    # sin(πλΔf q² - ½ π Cs λ³ q⁴) = 0: Δf = zero/(λ q²) + ½ Cs λ² q².
    shape, k = (32, 32), 5
    q = k / (32 * PIXEL)
    cs = 1.2e7
    defocus = zero / (LAM * q**2) + 0.5 * cs * LAM**2 * q**2
    between = (zero + 0.5) / (LAM * q**2) + 0.5 * cs * LAM**2 * q**2
    wave = grating(shape, 0, k)
    for focus, expected in [(defocus, 0.0), (between, -2 * math.sin(math.pi * (zero + 0.5)))]:
        image = lens(defocus_um=focus.item() / 1e4, cs_mm=1.2).intensity(wave, BEAM)
        assert contrast(image).item() == pytest.approx(expected, abs=2e-4)


def test_contrast_of_a_grating_is_the_phase_contrast_transfer_function():
    shape = (32, 40)
    one = lens(defocus_um=0.08, cs_mm=1.2)
    for ky, kx in [(1, 0), (0, 3), (2, -3), (5, 4), (8, 9)]:
        q2 = (ky / (32 * PIXEL)) ** 2 + (kx / (40 * PIXEL)) ** 2
        gamma = math.pi * LAM * 800 * q2 - 0.5 * math.pi * 1.2e7 * LAM**3 * q2**2
        image = one.intensity(grating(shape, ky, kx), BEAM)
        expected = -2 * torch.sin(gamma).item()
        assert contrast(image).item() == pytest.approx(expected, abs=2e-4)


def test_atoms_are_dark_at_underfocus_and_bright_at_overfocus():
    atom = project(make_atoms([[0.0, 0.0, 0.0]], [6], 20.0), (48, 48), PIXEL)[0]
    wave = torch.exp(1j * SIGMA * atom)
    under, over = (lens(defocus_um=f).intensity(wave, BEAM)[24, 24].item() for f in (0.05, -0.05))
    assert under < 0.99
    assert over > 1.01


def test_defocus_is_propagation_backwards():
    wave = dot((40, 42), 0.5)
    forward = fresnel_propagator((40, 42), PIXEL, 300.0, LAM, band_limit=1.0, taper=0)
    refocused = lens(defocus_um=0.03)(propagate(wave, forward), BEAM)
    assert (refocused - wave).abs().max() < 1e-6
    offset = lens()(propagate(wave, forward), BEAM, 300.0)
    assert (offset - wave).abs().max() < 1e-6


def test_quarter_wave_phase_plate_turns_atoms_dark_in_focus():
    shape = (32, 32)
    plate = lens(phase_shift=math.pi / 2, phase_plate_cut_on=1e-4)
    image = plate.intensity(grating(shape, 0, 4), BEAM)
    assert contrast(image).item() == pytest.approx(-2, abs=2e-3)
    without = lens().intensity(grating(shape, 0, 4), BEAM)
    assert contrast(without).item() == pytest.approx(0, abs=2e-4)


def test_a_phase_plate_is_centred_on_a_tilted_beam_as_well():
    shape = (32, 32)
    plate = lens(phase_shift=math.pi / 2, phase_plate_cut_on=1e-4)
    tilted = beam_of(ENERGY, torch.tensor([1e-3, -5e-4], dtype=torch.float64))
    image = plate.intensity(grating(shape, 0, 4), tilted)
    assert contrast(image).item() == pytest.approx(-2, abs=2e-3)


@pytest.mark.parametrize("angle", [0.0, 30.0, 110.0])
def test_astigmatism_has_its_larger_defocus_along_its_angle(angle):
    # Put the principal directions onto gratings by turning the frequency, not the lens.
    shape = (64, 64)
    one = lens(defocus_um=0.05, astigmatism_um=0.02, astigmatism_angle_deg=angle)
    q = frequency_grid(shape, PIXEL)
    phase = torch.angle(one.transfer(shape, BEAM))
    qy, qx = (each.expand(shape) for each in q)
    azimuth = torch.atan2(qy, qx)
    defocus = 500 + 200 * torch.cos(2 * (azimuth - math.radians(angle)))
    expected = math.pi * LAM * defocus * radius(q) ** 2
    assert (torch.exp(1j * phase) - torch.exp(1j * expected)).abs().max() < 1e-9
    # Along the angle 700 Å, across it 300 Å.
    along = grating(shape, 0, 8)
    flat = lens(defocus_um=0.05, astigmatism_um=0.02).intensity(along, BEAM)
    seventy = lens(defocus_um=0.07).intensity(along, BEAM)
    assert contrast(flat).item() == pytest.approx(contrast(seventy).item(), abs=1e-6)


def test_extra_aberrations_add_to_the_named_ones():
    given = lens(defocus_um=0.05, cs_mm=1.0, astigmatism_um=0.01)
    extra = {"C10": -500.0, "C30": 1e7, "C12a": -100.0}
    same = lens(aberrations={k: torch.tensor(v, dtype=torch.float64) for k, v in extra.items()})
    a, b = (one.transfer((16, 16), BEAM) for one in (given, same))
    assert (a - b).abs().max() < 1e-9
    with pytest.raises(ValueError, match="unknown aberrations C99"):
        lens(aberrations={"C99": 1.0})
    with pytest.raises(ValueError, match="cannot learn C21a"):
        lens(learnable=("C21a",))


def test_aperture_stops_what_is_outside_it():
    shape = (32, 32)
    inside, outside = grating(shape, 0, 3), grating(shape, 9, 0)
    edge = LAM.item() * 6 / (32 * PIXEL) * 1e3
    one = lens(aperture_mrad=edge, aperture_softness_mrad=0.2, defocus_um=0.15)
    free = lens(defocus_um=0.15)
    image = one.intensity(inside, BEAM)
    assert (image - free.intensity(inside, BEAM)).abs().max() < 5e-9
    assert (one.intensity(outside, BEAM) - 1).abs().max() < 1e-7
    assert contrast(free.intensity(outside, BEAM)).abs() > 0.1


@pytest.mark.parametrize("tilt_mrad", [(3.0, 0.0), (0.0, -2.5), (2.0, 1.0)])
def test_tilted_beam_shifts_the_image_by_the_coma_free_amount(tilt_mrad):
    # χ(q + t) ≈ ∇χ(t)·q: the image moves by ∇χ(t)/2π = (-Δf + Cs θ²) θ.
    shape = (128, 128)
    tilt = torch.tensor(tilt_mrad, dtype=torch.float64) * 1e-3
    for defocus, cs in [(0.08, 0.0), (-0.08, 0.0), (0.0, 20.0)]:
        # A faint absorber is seen in focus and out of it.
        y, x = pixel_axes(shape, PIXEL)
        wave = 1 - 1e-3 * torch.exp(-(y[:, None] ** 2 + x**2) / (2 * 5.0**2)) + 0j
        image = lens(defocus_um=defocus, cs_mm=cs).intensity(wave, beam_of(ENERGY, tilt))
        theta2 = (tilt**2).sum()
        expected = (-defocus * 1e4 + cs * 1e7 * theta2) * tilt
        torch.testing.assert_close(centroid(image), expected, rtol=0.02, atol=0.02)


def test_tilted_illumination_of_an_object_out_of_focus_agrees_with_propagation():
    # Multislice moves the wave to +x behind the object; the lens brings it back.
    shape, distance = (64, 64), 600.0
    tilt = torch.tensor([4e-3, -3e-3], dtype=torch.float64)
    wave = dot(shape, 0.3)
    down = fresnel_propagator(shape, PIXEL, distance, LAM, tilt, 1.0, 0.0)
    below = propagate(wave, down)
    moved = centroid(below.abs() ** 2 - (propagate(wave, down.abs() + 0j).abs() ** 2) + 1)
    assert moved.isfinite().all()
    back = lens(defocus_um=distance / 1e4)(below, beam_of(ENERGY, tilt))
    # Equal up to the constant phase of the direct beam.
    back = back / (back[0, 0] / back[0, 0].abs())
    assert (back - wave * wave[0, 0].conj()).abs().max() < 1e-6


@pytest.mark.parametrize("tilt_mrad", [None, (2.0, -1.0)])
@pytest.mark.parametrize("coherence", ["envelope", "sum"])
def test_vacuum_has_unit_intensity_through_any_lens(tilt_mrad, coherence):
    tilt = None if tilt_mrad is None else torch.tensor(tilt_mrad, dtype=torch.float64) * 1e-3
    one = Lens(
        PIXEL,
        defocus_um=2.0,
        cs_mm=2.7,
        astigmatism_um=0.1,
        aberrations={"C21a": 1e4, "C34b": 1e6},
        cc_mm=2.7,
        energy_spread_ev=1.5,
        source_semiangle_mrad=0.1,
        aperture_mrad=20.0,
        n_focus=3,
        n_source=3,
        coherence=coherence,
    ).double()
    image = one.intensity(torch.ones(12, 12, dtype=torch.complex128), beam_of(ENERGY, tilt))
    assert (image - 1).abs().max() < 1e-9


@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize(
    ("blur", "nodes"),
    [
        ({"cc_mm": 2.7, "energy_spread_ev": 1.0}, (13, 1)),
        ({"source_semiangle_mrad": 0.15}, (1, 9)),
        ({"cc_mm": 1.0, "energy_spread_ev": 1.0, "source_semiangle_mrad": 0.08}, (7, 7)),
    ],
)
def test_envelopes_are_the_explicit_sums_for_a_weak_phase_object(blur, nodes, tilted):
    shape = (24, 24)
    tilt = torch.tensor([1.5e-3, 0.5e-3], dtype=torch.float64) if tilted else None
    common = {"defocus_um": 0.3, "cs_mm": 1.2, **PERFECT, **blur}
    common |= {"defocus_um": 0.3, "cs_mm": 1.2}
    wave = dot(shape, 1e-4, 0.8)
    envelope = Lens(PIXEL, **common).double().intensity(wave, beam_of(ENERGY, tilt))
    explicit = Lens(PIXEL, **common, coherence="sum", n_focus=nodes[0], n_source=nodes[1]).double()
    total = explicit.intensity(wave, beam_of(ENERGY, tilt))
    coherent = lens(defocus_um=0.3, cs_mm=1.2).intensity(wave, beam_of(ENERGY, tilt))
    assert relative_rms(envelope - 1, coherent - 1) > 0.05
    assert relative_rms(envelope - 1, total - 1) < 5e-3


def test_batch_of_defocus_and_of_waves_is_a_loop_over_them():
    waves = torch.stack([dot((20, 22), s) for s in (0.1, 0.2, 0.3)])
    focus = torch.tensor([[0.1], [0.2]], dtype=torch.float64)
    images = lens(defocus_um=focus, cs_mm=1.0).intensity(waves, BEAM)
    assert images.shape == (2, 3, 20, 22)
    for i in range(2):
        one = lens(defocus_um=focus[i, 0], cs_mm=1.0)
        for j in range(3):
            alone = one.intensity(waves[j], BEAM)
            assert (images[i, j] - alone).abs().max() < 1e-13
    blur = {"cc_mm": 2.0, "source_semiangle_mrad": 0.05, "n_focus": 2, "n_source": 2}
    summed = lens(defocus_um=focus, coherence="sum", **blur)
    assert summed.intensity(waves, BEAM).shape == (2, 3, 20, 22)


def test_single_precision_wave_keeps_its_type_and_six_digits_at_large_defocus():
    wave = dot((64, 64), 0.5)
    one = Lens(PIXEL, defocus_um=5.0, cs_mm=2.7)
    double = one(wave, BEAM)
    single = one(wave.to(torch.complex64), BEAM)
    assert single.dtype == torch.complex64
    assert (single - double).abs().max() < 3e-6


def test_tilt_and_aperture_have_finite_gradients_at_zero_tilt():
    tilt = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    one = lens(defocus_um=0.1, aperture_mrad=15.0)
    image = one.intensity(dot((16, 16), 0.5), beam_of(ENERGY, tilt))
    (image * torch.arange(16)).sum().backward()
    assert tilt.grad.isfinite().all()
    assert tilt.grad[0] != 0


def test_sums_need_at_least_one_node():
    with pytest.raises(ValueError, match="n_focus must be at least 1, got 0"):
        lens(n_focus=0)
    with pytest.raises(ValueError, match="n_source must be at least 1, got -2"):
        lens(n_source=-2)
