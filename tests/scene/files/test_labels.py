import time

import pytest
import torch

from difftem.scene.files.labels import label_mask


def places(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_discs_cover_their_area_around_the_pixel_of_the_origin():
    mask = label_mask(places([0, 0, 0]), torch.tensor([50.0]), torch.tensor([3]), (101, 120), 1.0)
    assert mask.dtype == torch.int32
    assert mask.shape == (101, 120)
    rows, columns = mask.nonzero().T
    assert (int(rows.min()), int(rows.max())) == (0, 100)
    assert (int(columns.min()), int(columns.max())) == (10, 110)
    assert set(mask.unique().tolist()) == {0, 3}
    assert int((mask > 0).sum()) == pytest.approx(torch.pi * 50**2, rel=0.01)


def test_x_runs_along_columns_and_the_pixel_size_counts():
    mask = label_mask(places([30, -20, 0]), torch.tensor([3.0]), torch.tensor([1]), (30, 40), 2.0)
    assert int(mask.sum()) == 9  # radius of 1.5 pixels
    assert mask[5, 35] == 1


def test_what_lies_further_down_the_beam_stands_on_top():
    two = places([0, 0, 10], [5, 0, -10])
    radii, labels = torch.tensor([10.0, 10.0]), torch.tensor([1, 2])
    mask = label_mask(two, radii, labels, (64, 64), 1.0)
    assert mask[32, 33] == 1
    assert mask[32, 32 + 13] == 2
    swapped = label_mask(two * torch.tensor([1, 1, -1]), radii, labels, (64, 64), 1.0)
    assert swapped[32, 33] == 2
    assert torch.equal(mask > 0, swapped > 0)


def test_masks_are_pasted_by_their_middle_and_cut_at_the_edges():
    mask = torch.zeros(4, 6, dtype=torch.bool)
    mask[2, 3] = mask[0, 0] = True
    at = places([0, 0, 0], [-8, -8, 0], [500, 0, 0])
    image = label_mask(at, [mask] * 3, torch.tensor([1, 2, 3]), (16, 16), 1.0)
    assert image[8, 8] == 1
    assert image[8 - 2, 8 - 3] == 1
    assert image[0, 0] == 2
    assert int((image > 0).sum()) == 3


def test_overlapping_copies_keep_their_own_numbers():
    n = 50
    generator = torch.Generator().manual_seed(0)
    at = 300 * torch.rand(n, 3, generator=generator, dtype=torch.float64) - 150
    radii = torch.full((n,), 12.0)
    image = label_mask(at, radii, torch.arange(1, n + 1), (300, 300), 1.0)
    # Brute force: of the discs over a pixel, the one of the highest z.
    y, x = torch.meshgrid(torch.arange(300.0) - 150, torch.arange(300.0) - 150, indexing="ij")
    over = (x - at[:, 0, None, None]) ** 2 + (y - at[:, 1, None, None]) ** 2 <= 144
    height = torch.where(over, at[:, 2, None, None], -1e9)
    expected = torch.where(over.any(0), height.argmax(0) + 1, 0)
    assert torch.equal(image.long(), expected)


def test_thousands_of_copies_take_a_moment():
    n = 5000
    generator = torch.Generator().manual_seed(0)
    at = 4000 * (torch.rand(n, 3, generator=generator, dtype=torch.float64) - 0.5)
    mask = torch.ones(128, 128, dtype=torch.bool)
    start = time.process_time()
    image = label_mask(at, [mask] * n, torch.ones(n, dtype=torch.int64), (4096, 4096), 1.0)
    assert time.process_time() - start < 4  # 0.2 s on one core
    assert float((image > 0).float().mean()) > 0.9


def test_what_cannot_be_a_label_image_is_refused():
    one = places([0, 0, 0])
    with pytest.raises(ValueError, match="labels must be 1 or more, got 0"):
        label_mask(one, torch.tensor([1.0]), torch.tensor([0]), (8, 8), 1.0)
    with pytest.raises(ValueError, match="a label for each of 1 positions, got 2 and 1"):
        label_mask(one, torch.tensor([1.0, 2.0]), torch.tensor([1]), (8, 8), 1.0)
    none = label_mask(places(*one[:0]).reshape(0, 3), torch.zeros(0), torch.zeros(0), (8, 8), 1.0)
    assert not none.any()
