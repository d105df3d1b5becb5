import numpy as np
import pytest
import torch

from difftem.data.real_crops import RealCrops
from difftem.io.errors import InputError
from difftem.io.mrc import write_mrc


@pytest.fixture
def expose(generator):
    """Image of 20 electrons per pixel."""

    def image():
        return 40 * torch.poisson(torch.full((512, 512), 20.0), generator=generator).numpy()

    return image


def test_listed_crops_that_overlap_are_counted(tmp_path, expose):
    write_mrc(tmp_path / "a.mrc", expose(), 1.0)
    path = tmp_path / "a.box"
    path.write_text("0 0 128 128\n127 127 128 128\n255 0 128 128\n255 128 128 128\n")
    data = RealCrops(str(tmp_path / "a.mrc"), size=128, boxes=str(path))
    (note,) = [note for note in data.facts.notes if "overlap" in note]
    assert note.startswith("a.mrc: 2 of 4 crops overlap others: their noise counts more than once")


def test_the_same_exposure_given_twice_is_refused(tmp_path, expose):
    one, two, stack = (tmp_path / name for name in ("a.mrc", "b.mrc", "s.mrc"))
    image = expose()
    write_mrc(one, image, 1.0)
    write_mrc(two, image, 1.0)
    message = rf"^{two}: image 1 is the same exposure as image 1 of {one}, number by number"
    with pytest.raises(InputError, match=message):
        RealCrops([str(one), str(two)], size=128).setup()
    write_mrc(stack, np.stack([expose(), image, image]), 1.0)
    with pytest.raises(
        InputError, match=r"s\.mrc: image 3 is the same exposure as image 2, number"
    ):
        RealCrops(str(stack), size=128).setup()


def test_files_with_other_numbers_of_frames_are_refused(tmp_path, expose):
    one, two = tmp_path / "a.mrc", tmp_path / "b.mrc"
    write_mrc(one, np.stack([expose() for _ in range(6)]), 1.0)
    write_mrc(two, np.stack([expose() for _ in range(8)]), 1.0)
    for fields in ("same", "separate"):
        with pytest.raises(InputError, match=rf"^{two}: has 4 frames in an exposure, a\.mrc 3: "):
            RealCrops([str(one), str(two)], size=128, fields=fields, frames="even_odd").setup()


def test_read_noise_of_all_frames_is_taken_off_the_variance(tmp_path, generator):
    noise = 30.0  # of an image: in the sum 4.5 times the variance of the electrons
    image = torch.poisson(torch.full((16, 256, 256), 2.0), generator=generator)
    image = 10 * image + noise * torch.randn(image.shape, generator=generator)
    write_mrc(tmp_path / "movie.mrc", image.numpy(), 1.0)
    made = RealCrops(
        str(tmp_path / "movie.mrc"), size=64, n=8, gain=10.0, read_noise=noise, frames="sum"
    )
    assert made.facts.read_noise == pytest.approx(4 * noise)
    assert not any("more than counted electrons" in note for note in made.facts.notes)


def test_crops_without_noise_are_refused(tmp_path):
    counts = torch.zeros(256, 256)
    counts[::50, ::50] = 1
    write_mrc(tmp_path / "sparse.mrc", counts.numpy(), 1.0)
    (tmp_path / "a.box").write_text("0 0 64 64\n1 1 49 49\n101 101 49 49\n")
    message = (
        r"^sparse\.mrc: 2 of 3 crops of 40 pixels are constant \(at 5 5 every pixel is 0\): take "
        "larger crops"
    )
    with pytest.raises(InputError, match=message):
        RealCrops(str(tmp_path / "sparse.mrc"), size=40, boxes=str(tmp_path / "a.box")).setup()


def test_crops_of_negative_mean_have_no_gain(tmp_path, generator):
    image = torch.randn(256, 256, generator=generator)
    image[128:] += 3.0
    image += 0.1 - image.mean()
    path = str(tmp_path / "a.mrc")
    write_mrc(path, image.numpy(), 1.0)
    (tmp_path / "a.box").write_text("0 0 64 64\n64 64 64 64\n")
    arguments = {"size": 64, "boxes": str(tmp_path / "a.box")}
    message = r"^a\.mrc: the mean grey value of the crops is -1\.4.*: not raw counts, so gain"
    with pytest.raises(InputError, match=message):
        RealCrops(path, gain=2.0, **arguments).setup()
    with pytest.raises(InputError, match=message):
        RealCrops(path, dose=2.0, **arguments).setup()
    assert len(RealCrops(path, **arguments).crops.images) == 2
