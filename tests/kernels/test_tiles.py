import pytest
import torch

from difftem.functional.spread import footprint
from kernels_triton.tiles import cut, serves, tile_lists


@pytest.mark.parametrize(("shape", "band"), [((17, 33), 2 / 3), ((48, 31), 0.3), ((100, 40), 0.9)])
def test_each_tile_lists_the_points_that_reach_it_slice_by_slice(shape, band):
    tiles, counts = cut(*shape), [0, 40, 1, 25]
    xy = (torch.rand(sum(counts), 2, dtype=torch.float64) - 0.3) * 2 * max(shape)
    xy[:6] = torch.tensor([[0, 0], [15, 16], [-0.5, shape[0] - 0.5], [shape[1], 0], [3, 3], [3, 3]])
    pixels, weights = footprint(xy, shape, band)
    width = round(weights.shape[1] ** 0.5)
    assert serves(*shape, width)
    tile = torch.full(shape, -1)
    for row in range(tiles.rows):
        for column in range(tiles.columns):
            top, bottom = (r * shape[0] // tiles.rows for r in (row, row + 1))
            left, right = (c * shape[1] // tiles.columns for c in (column, column + 1))
            assert 0 < bottom - top <= 16
            assert 0 < right - left <= 16
            tile[top:bottom, left:right] = row * tiles.columns + column
    order, starts = tile_lists(xy, counts, tiles, width)
    assert len(starts) == len(counts) * tiles.number + 1
    begin = 0
    for slice_, count in enumerate(counts):
        reached = tile.flatten()[pixels[begin : begin + count]]
        for which in range(tiles.number):
            first = slice_ * tiles.number + which
            found = order[starts[first] : starts[first + 1]].tolist()
            assert sorted(found) == (reached == which).any(1).nonzero()[:, 0].tolist()
        begin += count


@pytest.mark.parametrize(
    ("shape", "width", "fits"),
    [((40, 5), 6, False), ((16, 16), 6, False), ((17, 17), 6, True), ((20, 40), 16, False)],
)
def test_grid_must_have_room_for_a_footprint_beside_itself(shape, width, fits):
    assert serves(*shape, width) is fits
