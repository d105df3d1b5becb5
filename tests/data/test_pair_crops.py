import pytest
import torch

from difftem.data.held_out_blocks import choose_blocks
from difftem.data.pair_crops import PairCrops
from difftem.data.whole_pairs import MeasuredPairs, SplitPairs, WholePair
from tests.helpers.exposures import ELECTRONS, whitened


class Numbered:
    """Pairs whose pixels hold their own place."""

    shape = (40, 50)

    def pair(self, number):
        place = torch.arange(2000.0).reshape(40, 50)
        return WholePair(place, place + 0.25, place + 0.5, 2.0, 3.0)


def test_crops_stay_in_register_however_they_are_turned():
    crops = PairCrops([Numbered()], [torch.arange(2000.0).reshape(40, 50) - 1], 16, 40)
    corners = set()
    for item in crops:
        for name, offset in (("wiener", 0.25), ("target", 0.5), ("weight", -1)):
            assert torch.equal(item[name], item["noisy"] + offset)
        assert item["noisy"].shape == (1, 16, 16)
        assert item["electrons"] == 3 and item["target_noise"] == 2
        low = float(item["noisy"].min())
        assert low % 50 <= 34 and low // 50 <= 24
        assert sorted(item["noisy"].flatten().tolist()) == [
            low + 50 * i + j for i in range(16) for j in range(16)
        ]
        at = (item["noisy"][0] == low).nonzero()[0].tolist()
        step = float(item["noisy"][0, 1, 0] - item["noisy"][0, 0, 0])
        corners.add((tuple(at), abs(step)))
    assert len(corners) == 8  # all turns and mirrors of a square


def test_crops_come_from_the_rows_they_may_come_from():
    crops = PairCrops([Numbered()], [torch.ones(40, 50)], 8, 60, rows=[slice(-12, None)])
    first = [int(item["noisy"].min()) // 50 for item in crops]
    assert set(first) == {28, 29, 30, 31, 32}


def test_an_item_depends_on_its_index_and_the_seed_alone():
    sources = [SplitPairs(whitened(1, 64), ELECTRONS), MeasuredPairs(whitened(2, 64), ELECTRONS)]
    weights = [torch.ones(64, 64)] * 2
    one, again = (PairCrops(sources, weights, 32, 64, seed=7) for _ in range(2))
    late = [again[i] for i in (40, 3, 17)]
    for index, item in zip((3, 17, 40), (late[1], late[2], late[0]), strict=True):
        assert torch.equal(one[index]["noisy"], item["noisy"])
    assert one[3]["electrons"] != one[17]["electrons"]  # fields take turns
    assert not torch.equal(PairCrops(sources, weights, 32, 64, seed=8)[3]["noisy"], one[3]["noisy"])
    with pytest.raises(IndexError):
        one[64]


@pytest.mark.parametrize(
    ("shape", "side", "number"),
    [((1024, 1024), 128, 10), ((256, 256), 32, 10), ((64, 90), 32, 2), ((4096, 4096), 128, 170)],
)
def test_held_out_blocks_are_a_sixth_of_an_image(shape, side, number, generator):
    blocks = choose_blocks(shape, generator)
    assert blocks.side == side and len(blocks.corners) == number
    assert int(blocks.mask(shape).sum()) == number * side**2


def test_an_image_that_is_too_small_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="at least 64 pixels a side to be learned from, got 63"):
        choose_blocks((80, 63))
