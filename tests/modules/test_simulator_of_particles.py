import math

import pytest
import torch
from torch import nn

from difftem.modules import (
    Beam,
    Detector,
    Dose,
    FlatIce,
    HoleyIce,
    InelasticMultislice,
    Instances,
    Lens,
    Multislice,
    Particle,
    ParticleSpecimen,
    PoissonLayer,
    Simulator,
    Stage,
)
from difftem.modules.particles_in_view import slice_range

SHAPE, PIXEL, THICKNESS = (48, 56), 4.0, 100.0
BEAM = Beam(torch.tensor(200.0, dtype=torch.float64))


def ball(absorption=0.0):
    """Gaussian ball of 12 Å, 3 V."""
    axis = (torch.arange(24, dtype=torch.float64) - 12) * PIXEL
    r2 = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    values = 3.0 * torch.exp(-r2 / 2 / 12**2)
    if absorption:
        values = torch.complex(values, absorption * values)
    return Particle(values, PIXEL, radius=40.0)


def simulator(positions, *, absorption=0.0, multislice=None, depth="ignored", **kwargs):
    positions = torch.tensor(positions, dtype=torch.float64).reshape(-1, 3)
    specimen = ParticleSpecimen(
        {"ball": ball(absorption)},
        [Instances("ball", positions)],
        SHAPE,
        PIXEL,
        THICKNESS,
        depth=depth,
        cut=False,
    )
    defocus = kwargs.pop("defocus_um", 1.0)
    lens = Lens(PIXEL, torch.tensor(defocus, dtype=torch.float64), cs_mm=2.0)
    return Simulator(
        specimen,
        multislice or Multislice(PIXEL, THICKNESS),
        lens,
        Dose(kwargs.pop("dose", 1.0), PIXEL),
        kwargs.pop("detector", None) or Detector(),
        kwargs.pop("beam", BEAM),
        **kwargs,
    )


def inelastic():
    return InelasticMultislice(PIXEL, 8.0)


def test_without_absorption_both_multislices_make_the_same_image():
    positions = [[-30.0, 8.0, -110.0], [20.0, 0.0, 95.0]]
    images = [simulator(positions, multislice=each).intensity() for each in (None, inelastic())]
    torch.testing.assert_close(*images, rtol=1e-6, atol=1e-7)
    assert float(images[0].std()) > 0.002


def test_what_absorption_takes_partly_comes_back_inelastically():
    """Carbon's angles: what passes 8 mrad is most of what is scattered, blurred."""
    position, strength = [[0.0, 0.0, 0.0]], 0.1
    elastic = simulator(position, absorption=strength).intensity()
    both = simulator(position, absorption=strength, multislice=inelastic()).intensity()
    pure = simulator(position).intensity()
    lost, kept = float((pure - elastic).mean()), float((both - elastic).mean())
    fraction = inelastic().transfer(BEAM.energy, PIXEL, 1e4)
    expected = float(fraction.transmitted[0] / fraction.total)
    assert lost > 1e-4
    assert kept / lost == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("make", [lambda: None, inelastic])
def test_a_particle_in_another_plane_is_a_change_of_focus(make):
    """Its plane is 100 Å farther along the beam: that much more underfocus."""
    absorption = 0.1 if make() else 0.0
    high = simulator([[0.0, 0.0, THICKNESS]], absorption=absorption, multislice=make())
    assert high.specimen.view(high.stage, BEAM).heights == [THICKNESS]
    centred = simulator(
        [[0.0, 0.0, 0.0]],
        absorption=absorption,
        multislice=make(),
        defocus_offset_um=torch.tensor([THICKNESS * 1e-4], dtype=torch.float64),
    )
    torch.testing.assert_close(high.intensity(), centred.intensity(), rtol=1e-6, atol=1e-8)
    still = simulator([[0.0, 0.0, 0.0]], absorption=absorption, multislice=make())
    assert float((still.intensity() - centred.intensity()).abs().max()) > 1e-4


def test_planes_between_particles_only_propagate():
    far = simulator([[-40.0, 0.0, -300.0], [40.0, 0.0, 300.0]], multislice=inelastic())
    assert far.specimen.view(far.stage, BEAM).heights == [100.0 * s for s in range(-3, 4)]
    seen = []

    def watch(stream, n):
        for item in stream:
            seen.append(n)
            yield item

    far.intensity(progress=watch)
    assert seen == 7 * [7]


def test_ice_gets_energy_and_defocus_of_each_tilt():
    class Watch(nn.Module):
        acts_on = "image"

        def forward(self, intensity, beam, rotation, defocus):
            self.seen = (rotation, beam.energy, defocus)
            return 0.5 * intensity

    watch = Watch()
    offsets = torch.tensor([0.0, 0.5], dtype=torch.float64)
    made = simulator(
        [[0.0, 0.0, 0.0]], stage=Stage([0.0, 30.0]), ice=watch, defocus_offset_um=offsets
    )
    plain = simulator([[0.0, 0.0, 0.0]], stage=Stage([0.0, 30.0]), defocus_offset_um=offsets)
    torch.testing.assert_close(made.intensity(1), 0.5 * plain.intensity(1))
    rotation, energy, defocus = watch.seen
    assert float(rotation[2, 2]) == pytest.approx(math.cos(math.radians(30)))
    assert (float(energy), float(defocus)) == pytest.approx((2e5, 1.5e4))


def test_a_film_of_scattering_ice_dims_the_empty_field():
    film = HoleyIce(
        PIXEL,
        center_thickness_nm=50.0,
        edge_thickness_nm=50.0,
        mean_free_path_nm=None,
        aperture_mrad=8.0,
    )
    intensity = simulator([], multislice=inelastic(), ice=film).intensity()
    assert float(intensity.std()) < 1e-6
    assert 0.8 < float(intensity.mean()) < 0.95


def test_flat_ice_dims_elastic_and_inelastic_electrons_alike():
    position = [[0.0, 0.0, 0.0]]
    series = {"stage": Stage([0.0, 60.0])}
    for multislice in (None, inelastic()):
        given = {"absorption": 0.1, "multislice": multislice, **series}
        plain = simulator(position, **given)
        iced = simulator(position, ice=FlatIce(60.0, 300.0), **given)
        for tilt, loss in ((0, math.exp(-0.2)), (1, math.exp(-0.4))):
            torch.testing.assert_close(iced.intensity(tilt), loss * plain.intensity(tilt))


def test_particles_of_a_series_are_viewed_one_tilt_at_a_time(generator):
    made = simulator([[0.0, 0.0, 0.0]], stage=Stage([0.0, 20.0]))
    with pytest.raises(ValueError, match="one tilt at a time"):
        made.intensity()
    assert made.noise_free().shape == (2, *SHAPE)
    assert made(generator, tilts=[1]).micrograph.shape == (1, *SHAPE)
    assert simulator([])(generator).exit_wave.shape == SHAPE


def test_an_inelastic_multislice_refuses_a_tilted_beam():
    with pytest.raises(ValueError, match="not tilted"):
        simulator([], multislice=inelastic(), beam=Beam(200.0, (1.0, 0.0)))()


def test_samplings_must_agree():
    with pytest.raises(ValueError, match="slice thickness"):
        simulator([], multislice=Multislice(PIXEL, 50.0))
    with pytest.raises(ValueError, match="pixel size"):
        simulator([], multislice=InelasticMultislice(2.0, 8.0))
    with pytest.raises(ValueError, match="one per tilt"):
        simulator([], defocus_offset_um=torch.zeros(3))


def test_each_tilt_has_its_dose_and_counts_follow_it(generator):
    doses = torch.tensor([0.5, 2.0])
    series = simulator(
        [[0.0, 0.0, 0.0]], stage=Stage([0.0, 20.0]), dose=doses, poisson=PoissonLayer()
    )(generator)
    means = series.expected_counts.mean((1, 2))
    assert means.tolist() == pytest.approx([8.0, 32.0], rel=0.02)
    assert series.counts.mean((1, 2)).tolist() == pytest.approx(means.tolist(), rel=0.03)


def test_depth_can_differ_between_particles():
    instances = [Instances(name, torch.zeros(1, 3).double()) for name in ("flat", "deep")]
    particles = {"flat": ball(), "deep": ball()}
    depth = {"flat": "ignored", "deep": "particle"}
    made = ParticleSpecimen(particles, instances, SHAPE, PIXEL, THICKNESS, depth=depth, cut=False)
    still = torch.zeros(2, dtype=torch.float64)
    placed = made.place(torch.eye(3).double(), still)
    assert [each.depth for each in placed] == ["ignored", "particle"]
    assert made.is_complex
    with pytest.raises(ValueError, match="depth must be one of"):
        ParticleSpecimen(particles, instances, SHAPE, PIXEL, THICKNESS, depth={"flat": "ignored"})


@pytest.mark.parametrize("cut", [True, False])
def test_particles_stay_whole_if_asked(cut):
    instances = [Instances("ball", torch.zeros(1, 3).double())]
    made = ParticleSpecimen({"ball": ball()}, instances, SHAPE, PIXEL, 20.0, cut=cut)
    placed = made.place(torch.eye(3).double(), torch.zeros(2).double())
    assert len(slice_range(placed)) == (6 if cut else 1)


def test_voxels_as_cubes_blur_by_their_transform():
    """Of a template turned by 90°, one Fourier coefficient: sinc of its frequency."""
    spectra = []
    for average in (False, True):
        instances = [Instances("ball", torch.zeros(1, 3).double())]
        made = ParticleSpecimen(
            {"ball": ball()},
            instances,
            SHAPE,
            PIXEL,
            THICKNESS,
            depth="ignored",
            voxel_average=average,
            cut=False,
        )
        placed = made.place(torch.eye(3).double(), torch.zeros(2).double())
        spectra.append(torch.fft.fft2(next(iter(made.slices(placed, BEAM.wavelength)))[1]))
    ratio = (spectra[1] / spectra[0]).real
    for i in (0, 3, 5):
        x = i / SHAPE[1]  # cycles per pixel, here also per voxel
        expected = math.sin(math.pi * x) / (math.pi * x) if i else 1.0
        assert float(ratio[0, i]) == pytest.approx(expected, rel=2e-3)
