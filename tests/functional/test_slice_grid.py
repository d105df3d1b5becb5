import torch

from difftem.functional.pose import random_rotations
from difftem.functional.projection import FINE
from tests.functional.test_projection import VOXEL, gaussians, project, relative_rms


def test_pixel_average_of_a_folded_band_is_the_mean_of_the_fine_pixels(generator):
    volume, _ = gaussians(40, generator, width=3.0, reach=0.3)
    rotations = random_rotations(1, generator)
    n = 16  # fine pixels per coarse one: the average is an integral
    fine = project(volume, rotations, 20 * n, FINE, pixel_size=4 * VOXEL / n)[0].real
    shifted = fine.roll((n // 2, n // 2), (0, 1))  # pixel 0 is centred at 0
    weights = torch.ones(n + 1, dtype=torch.float64)
    weights[0] = weights[-1] = 0.5  # trapezoid over the coarse pixel
    wrapped = torch.cat([shifted, shifted[:1]])
    wrapped = torch.cat([wrapped, wrapped[:, :1]], 1)
    windows = wrapped.unfold(0, n + 1, n).unfold(1, n + 1, n)
    mean = torch.einsum("yxab,a,b->yx", windows, weights, weights) / n**2
    averaged = project(volume, rotations, 20, FINE, pixel_size=4 * VOXEL, pixel_average=True)[0]
    assert relative_rms(averaged.real, mean) < 5e-3
