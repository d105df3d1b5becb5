import numpy as np
import pytest
import torch

from difftem.functional.grid import (
    band_limit_mask,
    crop_center,
    frequencies,
    frequency_grid,
    mirrored,
    radius,
)


@pytest.mark.parametrize("n", [7, 8])
def test_frequencies_are_those_of_numpy(n):
    np.testing.assert_allclose(frequencies(n, 0.7), np.fft.fftfreq(n, 0.7), atol=1e-15)
    half = frequencies(n, 0.7, half=True)
    np.testing.assert_allclose(half, np.fft.rfftfreq(n, 0.7), atol=1e-15)


def test_radius_is_the_length_of_the_frequency_vector_in_y_x_order():
    q = radius(frequency_grid((6, 9), 2.0))
    assert q.shape == (6, 9)
    expected = np.hypot(np.fft.fftfreq(6, 2.0)[:, None], np.fft.fftfreq(9, 2.0)[None])
    np.testing.assert_allclose(q, expected, atol=1e-15)
    assert radius(frequency_grid((4, 6, 9), 2.0, half=True)).shape == (4, 6, 5)


@pytest.mark.parametrize("taper", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("half", [False, True])
def test_band_limit_is_one_below_its_edge_and_zero_above_the_cutoff(taper, half):
    shape, fraction = (40, 33), 0.6
    mask = band_limit_mask(shape, fraction, taper, half=half)
    q = radius(frequency_grid(shape, 1.0, half=half)).float()
    assert mask.shape == q.shape
    assert (mask[q < fraction / 2 - taper - 1e-6] == 1).all()
    assert (mask[q > fraction / 2 + 1e-6] == 0).all()
    if taper == 0.1:  # the raised cosine is one half in its middle
        middle = (q - (fraction / 2 - taper / 2)).abs() < 2e-3
        assert middle.any()
        torch.testing.assert_close(
            mask[middle], torch.full_like(mask[middle], 0.5), atol=0.05, rtol=0
        )


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.01])
def test_impossible_band_limit_is_refused(fraction):
    with pytest.raises(ValueError, match=r"band_limit must be in \(0, 1\]"):
        band_limit_mask((8, 8), fraction)


@pytest.mark.parametrize("pixel_size", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_pixel_size_is_refused(pixel_size):
    with pytest.raises(ValueError, match="pixel_size must be positive"):
        frequencies(8, pixel_size)


@pytest.mark.parametrize(("field", "crop"), [((8, 9), (4, 5)), ((9, 8), (4, 5)), ((8, 8), (8, 8))])
def test_crop_keeps_the_centre_pixel(field, crop):
    image = torch.zeros(2, *field)
    image[:, field[0] // 2, field[1] // 2] = 1
    cut = crop_center(image, crop)
    assert cut.shape == (2, *crop)
    assert (cut[:, crop[0] // 2, crop[1] // 2] == 1).all()


@pytest.mark.parametrize("shape", [(6, 8), (7, 9), (5, 8), (1, 2)])
def test_a_quadrant_completes_an_even_function(shape):
    qy, qx = frequency_grid(shape, 1.0)
    whole = torch.cos(3 * qx) * qy**2 + qx**2
    quadrant = whole[: shape[0] // 2 + 1, : shape[1] // 2 + 1]
    assert torch.allclose(mirrored(quadrant, shape), whole)
