import numpy as np
import pytest
import torch

from difftem.micrograph.stack_use import sum_frames, use_of_stack


def vacuum(n, size=128, rate=4.0):
    generator = torch.Generator().manual_seed(n)
    return torch.poisson(torch.full((n, size, size), rate), generator=generator).numpy()


def movie(n, size=128):
    """Frames of one field, each too noisy to be aligned by itself."""
    generator = torch.Generator().manual_seed(n)
    bumps = torch.randn(1, 1, size // 8, size // 8, generator=generator)
    field = torch.nn.functional.interpolate(bumps, size=size, mode="bilinear")[0]
    rate = (4 * (1 + 0.25 * field)).clamp(min=0).expand(n, -1, -1)
    return torch.poisson(rate, generator=generator).numpy()


@pytest.mark.parametrize("n", [2, 3, 4, 5, 9])
def test_images_of_vacuum_are_flat_fields_and_all_are_used(n):
    use = use_of_stack(vacuum(n), "auto")
    assert use.flat
    assert use.parts == tuple(range(i, i + 1) for i in range(n))
    (note,) = use.notes
    said = f"the {n} images are taken for flat fields, as they show nothing to align by"
    assert note.startswith(f"{said} (correlation peak ")
    assert "all are used without alignment" in note


def test_frames_that_show_one_field_are_a_movie_in_two_halves():
    use = use_of_stack(movie(9), "auto")
    assert not use.flat
    assert use.parts == (range(0, 8, 2), range(1, 8, 2))
    assert "the 9 images are taken for frames of a movie" in use.notes[0]
    assert "the last of 9 frames is left out" in use.notes[1]


def test_exposures_of_one_field_stay_exposures():
    use = use_of_stack(movie(2) * np.float32(1), "auto")
    assert (use.flat, use.parts, use.notes) == (False, (range(1), range(1, 2)), [])


def test_what_is_told_is_not_questioned():
    images = vacuum(70, size=32)
    assert use_of_stack(images, "sum").parts == (range(70),)
    assert len(use_of_stack(images, "exposures").parts) == 70
    flat = use_of_stack(images, "flat")
    assert {len(part) for part in flat.parts} == {3}
    assert len(flat.parts) == 23
    assert flat.notes == ["every 3 of 70 flat fields are added up, the last 1 are left out"]
    assert use_of_stack(images[:1], "auto").parts == (range(1),)
    torch.testing.assert_close(
        sum_frames(images, flat.parts[0]), torch.from_numpy(images[:3].sum(0))
    )


def test_dead_frames_show_nothing_to_align_by():
    images = np.full((2, 64, 64), np.nan, dtype=np.float32)
    assert use_of_stack(images, "auto").flat
