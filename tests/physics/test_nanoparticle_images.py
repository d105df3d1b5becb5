"""Images of nanoparticles: what is known of them without a simulation."""

import math
from dataclasses import replace

import pytest
import torch

from difftem.constants.scattering import scattering_table
from difftem.functional.coherence import focal_spread
from difftem.functional.form_factor import scattering_factor
from difftem.scene.nanoparticle.nanoparticle import draw_nanoparticle, tilted
from difftem.simulation.nanoparticles.exit_wave import ExitWaves, displaced, exit_waves
from difftem.simulation.nanoparticles.focus_series import focus_series
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging
from tests.helpers.nanoparticle_set import MODELS
from tests.helpers.specimen import make_atoms, relative_rms

SMALL = NanoparticleImaging(size=96, pixel_size=0.1246, margin=4.0, focus_nodes=15)
# At 300 kV: Kirkland (2010), table 2.2 and equation 5.6.
LAMBDA, SIGMA = 0.0196874885, 6.526153e-4


def spread_of(imaging):
    values = (imaging.cc_mm * 1e7, imaging.energy_spread_ev, 0.0, 0.0)
    return float(focal_spread(*(torch.tensor(v, dtype=torch.float64) for v in (300e3, *values))))


def model():
    drawn = draw_nanoparticle(replace(MODELS, thickness=(12.0, 12.0)), 3)
    return tilted(drawn, 2.0, -1.0).atoms


def test_a_field_without_atoms_near_is_one():
    atoms = make_atoms([[0.0, 9.0, 0.0]], [6], b_factors=0.4)
    imaging = replace(SMALL, size=64, margin=8.0)
    images = focus_series(exit_waves(atoms, imaging), [-0.006, 0.004], [0.5, 0.5], imaging)
    assert float((images[:, :24] - 1).abs().max()) < 1e-4


def test_no_electron_is_lost_on_the_way():
    waves = exit_waves(model(), SMALL)
    power = float(waves.waves.abs().double().square().mean())
    # What is scattered beyond the band limit.
    assert 0.998 < power <= 1 + 1e-5
    whole = replace(SMALL, size=SMALL.field, margin=0.0)
    images = focus_series(waves, [-0.02, -0.006, 0.0], [0.5] * 3, whole)
    assert float((images.double().mean((1, 2)) - power).abs().max()) < 1e-5


def test_an_atom_so_weak_that_its_image_is_linear_is_that_of_the_transfer_function():
    """2 σ V(q) sin χ(q), damped in closed form: Kirkland (2010), equations 3.42 and 5.27."""
    place, imaging = (0.3, -0.2), replace(SMALL, size=160, margin=0.0, source_nodes=3)
    defocus, blur = -0.006, 0.5

    def contrast(occupancy):
        atoms = make_atoms([[*place, 0.0]], [8], b_factors=0.5, occupancies=occupancy)
        waves = exit_waves(atoms, imaging)
        return focus_series(waves, [defocus], [blur], imaging, reference=waves.height)[0] - 1

    # What is quadratic in the potential cancels.
    image = 4 * contrast(0.1) - contrast(0.2)
    image = image - image.median()  # 1e-6 of rounding
    n, step = imaging.size, imaging.pixel_size
    q1 = torch.fft.fftfreq(n, step, dtype=torch.float64)
    qy, qx = q1[:, None], q1[None]
    q2 = qx**2 + qy**2
    # The wave's plane is a slice behind the atom: less underfocus for it.
    underfocus, cs = 1e4 * defocus - imaging.slice_thickness, 1e7 * imaging.cs_mm
    chi = math.pi * LAMBDA * q2 * (0.5 * cs * LAMBDA**2 * q2 - underfocus)
    slope = 2 * math.pi * LAMBDA * q2.sqrt() * (cs * LAMBDA**2 * q2 - underfocus)
    path = math.pi * LAMBDA * spread_of(imaging) * q2
    angle = 1e-3 * imaging.source_semiangle_mrad / LAMBDA
    damping = torch.exp(-0.5 * (path**2 + (angle * slope) ** 2) - 2 * (math.pi * blur) ** 2 * q2)
    table = scattering_table("lobato")
    factor = scattering_factor(q2.sqrt().flatten(), torch.tensor([8]), table).reshape(n, n)
    potential = 0.2 * 47.878 * factor * torch.exp(-0.5 * q2 / 4)
    there = torch.exp(-2j * math.pi * (qx * place[0] + qy * place[1]))
    spectrum = 2 * SIGMA * potential * torch.sin(chi) * damping * there / step**2
    expected = torch.fft.fftshift(torch.fft.ifft2(spectrum).real)
    assert float(expected.abs().max()) > 2e-3
    assert relative_rms(image, expected) < 3e-3


def test_beams_of_a_strong_wave_interfere_as_far_as_focus_and_source_let_them():
    """Nothing damps a pair of beams of one angle; others lose by the difference of their paths."""
    imaging = replace(SMALL, size=128, margin=0.0, focus_nodes=21, source_semiangle_mrad=0.0)
    n, step = imaging.size, imaging.pixel_size
    beams = {0: 0.7, 6: 0.3j, -6: -0.2 + 0.3j, 10: 0.25}  # cycles across the field: amplitude
    x = torch.arange(n, dtype=torch.float64)
    wave = sum(a * torch.exp(2j * math.pi * k * x / n) for k, a in beams.items())
    waves = ExitWaves(wave.expand(1, n, n).to(torch.complex128), 0.0)
    defocus, blur = -0.008, 0.3
    (image,) = focus_series(waves, [defocus], [blur], imaging)
    q = {k: k / (n * step) for k in beams}

    def phase(k):
        lens = -math.pi * LAMBDA * 1e4 * defocus * q[k] ** 2
        return lens + math.pi / 2 * imaging.cs_mm * 1e7 * LAMBDA**3 * q[k] ** 4

    spread, expected = spread_of(imaging), torch.zeros(n, dtype=torch.complex128)
    for j, a in beams.items():
        for k, b in beams.items():
            path = math.pi * LAMBDA * spread * (q[j] ** 2 - q[k] ** 2)
            damping = math.exp(-0.5 * path**2 - 2 * (math.pi * blur * (q[j] - q[k])) ** 2)
            lens = complex(math.cos(phase(k) - phase(j)), math.sin(phase(k) - phase(j)))
            pair = a * complex(b).conjugate() * lens * damping
            expected += pair * torch.exp(2j * math.pi * (j - k) * x / n)
    assert relative_rms(image, expected.real.expand(n, n)) < 1e-5
    assert float(image.std()) > 0.2


def test_a_source_blurs_the_image_of_a_lens_with_defocus_alone():
    """Each direction shifts the image by angle times defocus."""
    imaging = replace(
        SMALL, cs_mm=0.0, focus_nodes=1, energy_spread_ev=0.0, source_nodes=5,
        source_semiangle_mrad=2.0,
    )  # fmt: skip
    waves = exit_waves(model(), imaging)
    (image,) = focus_series(waves, [-0.01], [0.3], imaging, reference=waves.height)
    point = replace(imaging, source_semiangle_mrad=0.0)
    blur = math.hypot(0.3, 2e-3 * 100.0)
    (expected,) = focus_series(waves, [-0.01], [blur], point, reference=waves.height)
    assert relative_rms(image - 1, expected - 1) < 2e-3


def test_a_focus_series_is_what_separate_calls_give():
    waves = exit_waves(model(), SMALL)
    foci, blurs = [-0.02, -0.006, 0.0], [0.4, 0.5, 0.6]
    series = focus_series(waves, foci, blurs, SMALL, 6.0)
    for image, focus, blur in zip(series, foci, blurs, strict=True):
        (alone,) = focus_series(waves, [focus], [blur], SMALL, 6.0)
        assert torch.allclose(image, alone, atol=1e-6)


def test_defocus_is_counted_from_the_given_plane():
    waves = exit_waves(model(), SMALL)
    high = focus_series(waves, [-0.006], [0.5], SMALL, 6.0)
    low = focus_series(waves, [-0.006 - 6e-4], [0.5], SMALL, 0.0)
    assert torch.allclose(high, low, atol=1e-5)


def test_displacements_have_the_variance_of_the_b_factors_and_atoms_are_then_at_rest():
    atoms = make_atoms(torch.zeros(20000, 3), [78] * 20000, b_factors=0.4)
    moved = displaced(atoms, torch.Generator().manual_seed(0))
    variance = moved.positions.square().mean(0)
    assert variance.tolist() == pytest.approx([0.4 / (8 * math.pi**2)] * 3, rel=0.03)
    assert not moved.b_factors.any()


def test_an_atom_that_moves_has_the_image_of_one_at_rest_blurred_by_its_motion():
    """Exact for atoms of one slice: their image moves with them."""
    imaging = replace(SMALL, size=144, margin=0.0, slice_thickness=10.0, source_nodes=1)
    imaging = replace(imaging, focus_nodes=5, frozen_phonons=100)
    apart = 36 * imaging.pixel_size
    places = torch.cartesian_prod(*[torch.tensor([-apart, apart])] * 2)
    # A fifth atom that nobody sees keeps the others away from the boundary of slices.
    places = torch.cat([torch.cat([places, torch.zeros(4, 1)], 1), torch.full((1, 3), 8.0)])
    numbers, seen = [78, 78, 78, 78, 1], torch.tensor([1.0, 1.0, 1.0, 1.0, 1e-6])
    b, blur = 2.0, 0.2
    generator = torch.Generator().manual_seed(0)
    moving = exit_waves(make_atoms(places, numbers, b, seen), imaging, generator)
    still = replace(imaging, frozen_phonons=1)
    rest = exit_waves(make_atoms(places, numbers, 1e-9, seen), still, generator)
    rest = ExitWaves(rest.waves, moving.height)
    wide = math.sqrt(blur**2 + b / (8 * math.pi**2))
    image, sharp, expected = (
        sum(tile for row in each.split(72) for tile in row.split(72, 1)) / 4 - 1
        for each in (
            focus_series(moving, [-0.006], [blur], imaging)[0],
            *focus_series(rest, [-0.006] * 2, [blur, wide], imaging),
        )
    )
    # 400 places of an atom.
    assert relative_rms(image, expected) < 0.03
    assert relative_rms(sharp, expected) > 0.2


def test_frozen_phonons_take_contrast_off_what_the_mean_potential_shows():
    """Diffuse scattering: a tenth of the contrast of 12 Å, the same at half the pixels."""
    atoms, thin = model(), replace(SMALL, size=72, focus_nodes=7, source_nodes=1)

    def image(imaging):
        waves = exit_waves(atoms, imaging, torch.Generator().manual_seed(0))
        return focus_series(waves, [-0.006], [0.5], imaging, 6.0)[0]

    smooth, frozen = image(thin), image(replace(thin, frozen_phonons=6))
    assert 0.85 < float(frozen.std() / smooth.std()) < 0.95
    assert float((frozen - smooth).mean().abs()) < 2e-3


def test_half_the_pixels_and_slices_change_images_by_less_than_a_percent():
    atoms = model()
    fine = replace(SMALL, size=2 * SMALL.size, pixel_size=SMALL.pixel_size / 2, slice_thickness=0.5)
    (image,) = focus_series(exit_waves(atoms, SMALL), [-0.006], [0.5], SMALL, 6.0)
    (finer,) = focus_series(exit_waves(atoms, fine), [-0.006], [0.5], fine, 6.0)
    assert relative_rms(image - 1, finer[::2, ::2] - 1) < 0.01
