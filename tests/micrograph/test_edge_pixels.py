import math

import pytest
import torch

from difftem.data.knife_edge import KnifeEdge
from difftem.micrograph.bad_pixels import find_bad_pixels
from difftem.micrograph.edge_pixels import EDGE_WIDTH, repair_edge


def made(size=400, dose=400.0, mtf="falcon4ec_300kv", **more):
    data = KnifeEdge(size=size, dose=dose, mtf=mtf, **more)
    return data.crops.images[0], data.facts.edges[0]


def test_no_pixel_of_an_edge_is_taken_for_a_bad_one():
    image, truth = made(824)
    # Medians of tiles cut across the edge: what goes wrong without its profile.
    assert int(find_bad_pixels(image).sum()) > 100
    fixed, bad, edge = repair_edge(image)
    assert int(bad.sum()) == 0
    assert torch.equal(fixed, image)
    assert edge.angle_deg == pytest.approx(truth.angle_deg, abs=0.01)
    assert edge.position == pytest.approx(truth.position, abs=0.05)


@pytest.mark.parametrize("angle", [5.0, 93.0, -176.0])
def test_bad_pixels_get_what_the_edge_has_there(angle):
    image, _ = made(angle_deg=angle)
    spoilt = image.clone()
    middle = (image.shape[0] - 1) / 2
    turn = math.radians(angle)
    places = [
        (round(middle + d * math.sin(turn) + a * math.cos(turn)),
         round(middle + d * math.cos(turn) - a * math.sin(turn)))
        for d, a in ((-40, 10), (-30, 25), (-2, -20), (0, 50), (3, 7), (40, -30))
    ]  # fmt: skip
    values = [5000.0, 0.0, math.nan, 1e6, -1e4, 3000.0]
    for (y, x), value in zip(places, values, strict=True):
        spoilt[y, x] = value
    fixed, bad, _ = repair_edge(spoilt)
    assert {tuple(each) for each in torch.nonzero(bad).tolist()} == set(places)
    good = torch.ones_like(bad)
    for y, x in places:
        good[y, x] = False
        around = image[y - 2 : y + 3, x - 2 : x + 3]
        assert around.min() - 40 < fixed[y, x] < around.max() + 40
    assert torch.equal(fixed[good], image[good])
    assert EDGE_WIDTH == 8


def test_an_image_without_an_edge_or_numbers_is_handed_back_as_no_edge(generator):
    noise = torch.poisson(torch.full((128, 128), 20.0), generator=generator)
    assert not repair_edge(noise)[2].is_straight
    fixed, bad, edge = repair_edge(torch.full((128, 128), math.nan))
    assert bool(bad.all())
    assert torch.isfinite(fixed).all()
    assert not edge.is_straight
