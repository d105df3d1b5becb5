import math

import numpy as np
import pytest
import torch

from difftem.data.knife_edge import KnifeEdge
from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc
from difftem.micrograph.edge import distance, find_edge

LORENTZIAN = {"mtf": "lorentzian", "mtf_parameters": {"a": 1.0, "b": 0.0, "c": 0.0, "alpha": 8.0}}


@pytest.mark.parametrize("angle", [5.0, -7.0, 95.0, -130.0, 177.0])
def test_angle_and_position_are_found_in_the_noise(angle):
    data = KnifeEdge(
        size=256, angle_deg=angle, position=3.3, dose=20.0, transmission=0.1, **LORENTZIAN
    )
    edge = find_edge(data.crops.images[0])
    assert edge.is_straight
    assert edge.angle_deg == pytest.approx(angle, abs=0.03)
    assert edge.position == pytest.approx(3.3, abs=0.1)
    assert edge.bright == pytest.approx(20, rel=0.02)
    assert edge.dark == pytest.approx(2, rel=0.05)


def test_profile_across_the_edge_holds_the_mtf_and_nothing_else():
    data = KnifeEdge(size=256, n=2, dose=1e6, position=-2.0, gain=2.0, **LORENTZIAN)
    (edge, _) = data.facts.edges
    along = distance((256, 256), edge.angle_deg, edge.position)
    image = data.crops.images.double().mean(0) / edge.bright
    # Derivative of the profile in bins of 1/16 pixel, and its Fourier transform: a sampled edge
    # has replicas beyond Nyquist, which wide bins would fold back.
    reach, per_pixel = 40, 16
    index = torch.floor((along + reach) * per_pixel).long()
    inside = (index >= 0) & (index < 2 * reach * per_pixel)
    total = torch.zeros(2 * reach * per_pixel).double().index_add(0, index[inside], image[inside])
    profile = total / torch.bincount(index[inside], minlength=len(total))
    spread = -profile.diff()
    frequency = torch.arange(0, 21) / 40  # cycles/pixel
    phase = torch.exp(-2j * math.pi * frequency[:, None] * torch.arange(len(spread)) / per_pixel)
    # Bins and differences damp by a sinc each.
    curve = (phase * spread).sum(-1).abs() / torch.sinc(frequency / per_pixel) ** 2
    truth = data.truth(frequency.double())
    torch.testing.assert_close(curve, truth, rtol=0, atol=0.01)


def test_a_batch_has_images_and_means():
    data = KnifeEdge(size=128, n=3, dose=50.0)
    (batch,) = data.train_dataloader()
    assert batch["images"].shape == (3, 128, 128)
    assert float(batch["means"].mean()) == pytest.approx(25, rel=0.02)
    assert not torch.equal(batch["images"][0], batch["images"][1])
    assert torch.equal(batch["images"], KnifeEdge(size=128, n=3, dose=50.0).crops.images)


def test_an_edge_in_a_file_is_read_with_its_angle(tmp_path):
    made = KnifeEdge(size=200, angle_deg=-8.0, dose=60.0, transmission=0.05)
    field = np.full((260, 300), 33.0, dtype=np.float32)
    field[40:240, 60:260] = made.crops.images[0]
    path = str(tmp_path / "edge.mrc")
    write_mrc(path, field, 1.1)
    data = KnifeEdge(path, box=[60, 40, 200, 200])
    torch.testing.assert_close(data.crops.images, made.crops.images)
    (edge,) = data.facts.edges
    assert edge.angle_deg == pytest.approx(-8, abs=0.02)
    assert data.facts.pixel_size == pytest.approx(1.1)
    assert data.facts.fields == ("edge.mrc",)
    assert not any("gain reference" in note for note in data.facts.notes)
    assert data.truth(torch.zeros(1)) is None
    with pytest.raises(InputError, match=r"edge\.mrc: box \[101, .* is outside the image of 300 x"):
        KnifeEdge(path, box=[101, 0, 200, 200]).setup()


def test_an_edge_along_the_grid_is_noted():
    assert KnifeEdge(size=64, angle_deg=10.0).facts.notes == []
    for angle in (0.4, 89.5, 45.0, -90.0):
        (note,) = KnifeEdge(size=64, angle_deg=angle).facts.notes
        assert "within 1° of the grid or its diagonal" in note


def test_an_image_without_an_edge_is_refused(tmp_path, generator):
    noise = torch.poisson(torch.full((128, 128), 20.0), generator=generator)
    write_mrc(tmp_path / "flat.mrc", noise, 1.0)
    with pytest.raises(InputError, match=r"flat\.mrc: no straight edge: coherence"):
        KnifeEdge(str(tmp_path / "flat.mrc")).setup()
    write_mrc(tmp_path / "small.mrc", noise[:40, :50], 1.0)
    with pytest.raises(InputError, match=r"an edge needs 64 pixels, the image has 50 x 40"):
        KnifeEdge(str(tmp_path / "small.mrc")).setup()


@pytest.mark.parametrize(
    "arguments", [{"size": 32}, {"transmission": 1.0}, {"box": [0, 0, 10, 10]}, {"dose": -1.0}]
)
def test_values_outside_their_range_are_named(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"^{name} must"):
        KnifeEdge(**arguments)
