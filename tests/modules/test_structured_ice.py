import math

import pytest
import torch

import difftem.modules.structured_ice as module
from difftem.functional.carbon_film import carbon_power
from difftem.functional.grid import band_limit_mask, frequency_grid, radius
from difftem.functional.structured_ice import ice_power
from difftem.modules import (
    Beam,
    FlatIce,
    HoleyIce,
    Multislice,
    ParticleSpecimen,
    Stage,
    StructuredIce,
)

BEAM, STAGE = Beam(300.0), Stage()


def vacuum(shape=(128, 128), pixel_size=0.8, slice_thickness=4.0):
    return ParticleSpecimen({}, [], shape, pixel_size, slice_thickness)


def iced(thickness_nm=2.0, specimen=None, **kwargs):
    return StructuredIce(specimen or vacuum(), FlatIce(thickness_nm), **kwargs)


def slices(specimen, stage=STAGE, tilt=None):
    view = specimen.view(stage, BEAM, tilt)
    return torch.stack([each.detach() for each in view.slices]), view.heights


def ring_means(image, pixel_size, width=4):
    """Mean power in rings inside the band limit, of one or more images, and their frequencies."""
    ny, nx = image.shape[-2:]
    q = radius(frequency_grid((ny, nx), pixel_size))
    power = torch.fft.fft2(image.to(torch.complex128)).abs() ** 2 * pixel_size**2 / (ny * nx)
    power = power.reshape(-1, ny, nx).mean(0)
    ring = (q * ny * pixel_size / width).long()
    last = int(0.62 * ny / 2 / width)
    number = torch.bincount(ring.flatten())
    means = [
        (torch.bincount(ring.flatten(), weights=each.flatten()) / number)[1:last]
        for each in (power, q)
    ]
    return means[0], means[1], q, ring, number, last


def in_rings(curve, ring, number, last):
    return (torch.bincount(ring.flatten(), weights=curve.flatten()) / number)[1:last]


def test_the_sum_of_thin_slices_has_the_spectrum_of_the_layer_in_every_ring():
    # Slices of 2 Å are thinner than the distance of two molecules.
    specimen = vacuum((256, 256), slice_thickness=2.0)
    fields = []
    for seed in range(6):
        made, heights = slices(iced(1.0, specimen, seed=seed))
        assert heights == pytest.approx([-4, -2, 0, 2, 4])
        fields.append(made.sum(0))
    found, _, q, *rings = ring_means(torch.stack(fields), 0.8, width=8)
    expected = in_rings(ice_power(q, 10.0), *rings)
    assert len(found) == 8
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0)


def test_every_slice_has_its_share_and_none_knows_the_others(monkeypatch):
    made, heights = slices(iced(1.8))
    assert heights == pytest.approx([-8, -4, 0, 4, 8])
    both = torch.corrcoef(made.flatten(1)) - torch.eye(5)
    assert float(both.abs().max()) < 0.05
    # An impulse in place of noise has a flat spectrum: the shape of the field without its scatter.
    impulse = torch.zeros(128, 128)
    impulse[0, 0] = 128.0
    monkeypatch.setattr(module, "white_noise", lambda *_: impulse)
    made, _ = slices(iced(1.8))
    # 18 Å in slices of 4 Å: the outer ones are filled by 3 Å.
    for each, path in zip(made, (3.0, 4.0, 4.0, 4.0, 3.0), strict=True):
        found, _, q, *rings = ring_means(each, 0.8)
        expected = in_rings(ice_power(q, path), *rings)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)


def test_exposure_blurs_the_ice_as_theory_says():
    fresh, _, q, *rings = ring_means(slices(iced(exposure=0.0))[0].sum(0), 0.8)
    frozen = ring_means(slices(iced(exposure=30.0, motion=0.0))[0].sum(0), 0.8)[0]
    blurred = ring_means(slices(iced(exposure=30.0))[0].sum(0), 0.8)[0]
    torch.testing.assert_close(frozen, fresh)
    # The same noise: the ratio has little scatter.
    expected = in_rings(ice_power(q, 1.0, exposure=30.0), *rings)
    expected = expected / in_rings(ice_power(q, 1.0), *rings)
    torch.testing.assert_close(blurred / fresh, expected, rtol=0.05, atol=0)
    assert float(expected[-1]) < 0.1 < 0.7 < float(expected[0])


def test_a_deep_slice_images_as_many_thin_ones():
    # In focus at the ice's middle only its depth makes contrast: sin² of what is propagated.
    thickness, shape = 480.0, (128, 128)
    thick = StructuredIce(vacuum(shape, 0.8, 480.0), FlatIce(48.0))
    found = 0.0
    for seed in range(4):
        thick.seed = seed
        (field,) = thick.view(STAGE, BEAM).slices
        # Weak object: intensity - 1 is -2σ Im v, which a real field does not have.
        found = found + ring_means(field.detach().imag, 0.8)[0] / 4
    _, _, q, *rings = ring_means(torch.zeros(shape), 0.8)
    phase = math.pi * float(BEAM.wavelength) * q**2 * thickness
    mean_sin2 = (1 - torch.sin(phase) / phase.clamp(min=1e-9)) / 2
    expected = in_rings(ice_power(q, thickness) * mean_sin2, *rings)
    torch.testing.assert_close(found[2:], expected[2:], rtol=0.1, atol=0)


def test_image_follows_thickness_and_density_as_finite_differences_say():
    specimen = vacuum((32, 32), 1.0, 8.0)
    waves = Multislice(1.0, 8.0).double()
    weight = torch.randn(32, 32, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def loss(thickness_nm, density):
        ice = FlatIce(torch.tensor(thickness_nm, dtype=torch.float64), learnable=["thickness_nm"])
        made = StructuredIce(
            specimen,
            ice,
            torch.tensor(density, dtype=torch.float64),
            learnable=["density_g_per_cm3"],
        )
        made = made.double()
        wave = waves(made.view(STAGE, BEAM).slices, BEAM)
        value = ((wave.real**2 + wave.imag**2) * weight).sum() + wave.imag.sum()
        return value, made, ice

    value, made, ice = loss(3.0, 0.93)
    value.backward()
    found = [
        float(ice.parametrizations.thickness_nm.original.grad) / 3.0,
        float(made.parametrizations.density_g_per_cm3.original.grad) / 0.93,
    ]
    step = 1e-5
    by_density = (loss(3.0, 0.93 + step)[0] - loss(3.0, 0.93 - step)[0]) / (2 * step)
    assert found[1] == pytest.approx(float(by_density.detach()), rel=1e-6)
    # More ice in the same slices: its share of each is a matter of geometry. So does density.
    assert found[0] == pytest.approx(found[1] * 0.93 / 3.0, rel=1e-9)


def test_seeds_and_tilts_decide_the_ice():
    again = [slices(iced(seed=s))[0] for s in (1, 1, 2)]
    torch.testing.assert_close(again[0], again[1], rtol=0, atol=0)
    assert abs(float(torch.corrcoef(torch.stack([again[0], again[2]]).flatten(1))[0, 1])) < 0.05
    series = Stage(torch.tensor([0.0, 0.0]))
    first, second = (slices(iced(), series, tilt)[0] for tilt in (0, 1))
    assert abs(float(torch.corrcoef(torch.stack([first, second]).flatten(1))[0, 1])) < 0.05
    with pytest.raises(ValueError, match="one tilt at a time, got a series"):
        iced().view(series, BEAM)


def test_a_tilted_layer_is_longer_and_reaches_through_more_slices():
    specimen = vacuum((128, 128), 0.8, 16.0)
    flat, tilted = (slices(iced(4.0, specimen), Stage(angle)) for angle in (0.0, 60.0))
    assert len(flat[1]) == 3
    # ± 51 Å of field at 60° and 80 Å along the beam: ± 129 Å.
    assert max(tilted[1]) == pytest.approx(128.0)
    weights = [
        torch.stack([each.abs().square().mean() for each in made]).sum()
        for made in (tilted[0], flat[0])
    ]
    assert float(weights[0] / weights[1]) == pytest.approx(2.0, rel=0.05)
    # On one side of the axis (y) the layer is high, on the other low.
    lowest, highest = (tilted[0][i].abs().square().mean(0) for i in (0, -1))
    sides = [float(each[:64].sum() > each[64:].sum()) for each in (lowest, highest)]
    assert sum(sides) == 1


def test_carbon_lies_around_a_hole_that_holds_the_ice():
    hole = HoleyIce(3.2, 9.0, 2.0, 2.0)  # of the image, whose pixels are larger
    specimen = StructuredIce(vacuum((256, 256), 0.8, 20.0), hole)
    total = torch.stack([slices(specimen)[0].sum(0) for specimen.seed in range(4)])
    y, x = ((torch.arange(256) - 128) * 0.8 for _ in range(2))
    r = torch.hypot(y[:, None], x)
    q = radius(frequency_grid((256, 256), 0.8))
    limit = band_limit_mask((256, 256)) ** 2 / (256 * 0.8) ** 2  # times d²q
    for inside, power in ((r < 43, ice_power(q, 20.0)), (r > 47, carbon_power(q, 20.0))):
        expected = float((limit * power).sum())
        assert float(total[:, inside].var()) == pytest.approx(expected, rel=0.05)


def test_what_is_displaced_holds_no_ice():
    class Cube:
        shape, pixel_size, slice_thickness, takes_series = (128, 128), 0.8, 4.0, False

        def view(self, stage, beam, tilt=None):
            length = torch.zeros(128, 128)
            length[32:64, 32:64] = 4.0
            length[64:96, 64:96] = 2.0
            view = vacuum().view(stage, beam, tilt)
            return view._replace(slices=[length])

    whole, _ = slices(iced(0.4))
    made, _ = slices(iced(0.4, displaced=Cube()))
    assert float(made[0, 32:64, 32:64].abs().max()) == 0.0
    torch.testing.assert_close(made[0, 64:96, 64:96], whole[0, 64:96, 64:96] / math.sqrt(2))
    torch.testing.assert_close(made[0, :32], whole[0, :32])
    with pytest.raises(ValueError, match=r"displaced must have the specimen's pixel_size of 0.5"):
        iced(specimen=vacuum(pixel_size=0.5), displaced=Cube())


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="exposure must not be negative, got -1"):
        iced(exposure=-1.0)
    with pytest.raises(ValueError, match="motion must not be negative, got nan"):
        iced(motion=float("nan"))
    with pytest.raises(ValueError, match="cannot learn thickness_nm; quantities are density"):
        iced(learnable=["thickness_nm"])
