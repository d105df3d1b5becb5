import pytest
import scipy.fft
import torch

from difftem.functional.cosine import cosine_radius, cosine_transform, inverse_cosine_transform

SHAPES = [(1, 1), (1, 5), (6, 2), (7, 8), (33, 31)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_transform_is_scipys(shape, generator):
    image = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    expected = scipy.fft.dctn(image.numpy(), axes=(-2, -1), norm="ortho")
    torch.testing.assert_close(cosine_transform(image), torch.from_numpy(expected))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_inverse_gives_the_image_back(shape, generator):
    image = torch.randn(2, *shape, generator=generator)
    back = inverse_cosine_transform(cosine_transform(image))
    assert back.dtype == torch.float32
    torch.testing.assert_close(back, image, atol=1e-5, rtol=0)


def test_both_ways_have_gradients(generator):
    image = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cosine_transform, image)
    assert torch.autograd.gradcheck(inverse_cosine_transform, image)


def test_a_plane_wave_lands_at_its_frequency():
    q = cosine_radius((64, 48))
    y, x = torch.meshgrid(torch.arange(64) + 0.5, torch.arange(48) + 0.5, indexing="ij")
    wave = torch.cos(torch.pi * 16 * y / 64) * torch.cos(torch.pi * 9 * x / 48)
    peak = cosine_transform(wave).abs().argmax()
    assert q.flatten()[peak].item() == pytest.approx(((16 / 128) ** 2 + (9 / 96) ** 2) ** 0.5)
