import torch

from kernels_triton.layers import sum_layers
from tests.helpers.closeness import assert_agree


def test_filtered_layers_are_added_up(kernels, poisoned_empty):
    device, dtype, tolerance = kernels
    spectra = torch.randn(5, 31, 18, dtype=dtype.to_complex(), device=device)  # 558 = 512 + 46
    filters = torch.randn(5, 31, 18, dtype=dtype, device=device)
    expected = (spectra * filters).sum(0)
    assert_agree([sum_layers(spectra, filters)], [expected], tolerance)
    assert_agree(
        [sum_layers(spectra[:1].conj(), filters[:1])], [spectra[0].conj() * filters[0]], tolerance
    )
