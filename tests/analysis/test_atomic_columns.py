import pytest
import torch

from difftem.analysis.atomic_columns import at_surface, border_distance, find_columns
from tests.helpers.synthetic_columns import columns_image

PIXEL = 0.0623  # Å
PLACES = [(x + 0.3 * (y % 3), y + 0.37) for y in range(40, 180, 40) for x in range(40, 180, 40)]


@pytest.fixture(scope="module")
def image():
    return columns_image(PLACES, 200)


@pytest.mark.parametrize("contrast", ["white", "black"])
def test_columns_are_found_where_they_are_to_a_twentieth_of_a_pixel(image, contrast):
    found = find_columns(image if contrast == "white" else 1 - image, PIXEL, contrast=contrast)
    assert len(found.positions) == len(PLACES)
    apart = torch.cdist(found.positions, torch.tensor(PLACES, dtype=torch.float64))
    assert apart.amin(1).max() < 0.05
    assert apart.amin(0).max() < 0.05


def test_a_constant_image_has_no_columns():
    assert len(find_columns(torch.full((64, 64), 0.45), PIXEL).positions) == 0
    assert len(find_columns(torch.zeros(64, 64), PIXEL).positions) == 0


def test_spots_below_a_share_of_the_typical_height_are_left_out(image):
    faint = columns_image([(20, 185)], 200, height=0.06) - 0.45
    assert len(find_columns(image + faint, PIXEL, least=0.25).positions) == len(PLACES)
    assert len(find_columns(image + faint, PIXEL, least=0.03).positions) == len(PLACES) + 1


def test_columns_at_the_rim_of_a_lattice_are_at_its_surface():
    positions = torch.tensor(PLACES, dtype=torch.float64) + 100
    surface = at_surface(positions, 60.0, (400, 400))
    inner = (positions > 160).all(1) & (positions < 240).all(1)
    assert torch.equal(surface, ~inner)


def test_where_the_image_ends_a_missing_neighbour_tells_nothing():
    positions = torch.tensor(PLACES, dtype=torch.float64)  # 40 pixels from each border
    assert not at_surface(positions, 60.0, (201, 201)).any()
    lowest = at_surface(positions, 60.0, (401, 201))
    assert lowest.nonzero()[:, 0].tolist() == [13, 14]  # of a corner half of the gap is outside
    assert border_distance(positions, (201, 201))[0] == pytest.approx(40.3, abs=0.4)


def test_a_column_alone_is_at_a_surface():
    assert at_surface(torch.tensor([[50.0, 50.0]]), 30.0, (101, 101)).tolist() == [True]


def test_lengths_and_shares_are_checked():
    with pytest.raises(ValueError, match="pixel_size must be positive, got 0 Å"):
        find_columns(torch.zeros(8, 8), 0.0)
    with pytest.raises(ValueError, match="least must be between 0 and 1, got 2"):
        find_columns(torch.zeros(8, 8), 1.0, least=2.0)
