import pytest
import torch

from difftem.functional.box_average import box_average


def test_the_same_grid_keeps_the_image(generator):
    image = torch.randn(5, 6, generator=generator)
    assert torch.equal(box_average(image, 2.0, (5, 6), 2.0), image)


def test_twice_the_pixel_averages_four(generator):
    image = torch.randn(2, 8, 6, generator=generator, dtype=torch.float64)
    expected = torch.nn.functional.avg_pool2d(image[:, None], 2)[:, 0]
    torch.testing.assert_close(box_average(image, 1.0, (4, 3), 2.0), expected)


@pytest.mark.parametrize(("shape", "pixel"), [((7, 9), 1.7), ((30, 31), 0.45), ((5, 4), 3.3)])
def test_each_new_pixel_is_the_mean_over_its_square(generator, shape, pixel):
    """The same image on a grid a hundred times finer, averaged by brute force."""
    image = torch.rand(9, 11, generator=generator, dtype=torch.float64)
    got = box_average(image, 1.0, shape, pixel)
    for i, j in ((0, 0), (shape[0] // 2, shape[1] // 2), (shape[0] - 1, 1)):
        fine = (torch.arange(400, dtype=torch.float64) + 0.5) / 400 - 0.5
        y = (i - (shape[0] - 1) / 2 + fine) * pixel + 4.5
        x = (j - (shape[1] - 1) / 2 + fine) * pixel + 5.5
        inside = ((y >= 0) & (y < 9))[:, None] & ((x >= 0) & (x < 11))
        values = image[y.long().clamp(0, 8)][:, x.long().clamp(0, 10)] * inside
        assert float(got[i, j]) == pytest.approx(float(values.mean()), abs=5e-3)


def test_all_that_is_covered_is_kept(generator):
    image = torch.rand(20, 20, generator=generator, dtype=torch.float64)
    got = box_average(image, 1.0, (9, 11), 2.5)
    assert float(got.sum() * 2.5**2) == pytest.approx(float(image.sum()))


def test_gradient(generator):
    image = torch.rand(4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: box_average(x, 1.0, (3, 7), 0.8), image)
