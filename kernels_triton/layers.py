"""Spectra of layers, filtered and added up in one pass."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels_triton.complex import floats, load_complex, store_complex
from kernels_triton.options import FUSED

BLOCK = 512


@triton.jit
def sum_layers_kernel(spectra, filters, out, n, n_layers, BLOCK: tl.constexpr):
    """Sum over layers of spectrum * filter; filters are real."""
    start = tl.program_id(0).to(tl.int64) * BLOCK
    offsets = start + tl.arange(0, BLOCK)
    total_real = tl.zeros((BLOCK,), out.dtype.element_ty)
    total_imaginary = tl.zeros((BLOCK,), out.dtype.element_ty)
    first = tl.full((), 0, tl.int64)
    for _ in range(n_layers):
        factor = tl.load(filters + first + offsets, mask=offsets < n, other=0.0)
        real, imaginary = load_complex(spectra + first * 2, start, n, BLOCK)
        total_real += factor * real
        total_imaginary += factor * imaginary
        first += n
    store_complex(out, start, n, total_real, total_imaginary, BLOCK)


def sum_layers(
    spectra: Tensor,  # (n_layers, ...) complex
    filters: Tensor,  # (n_layers, ...) real
) -> Tensor:  # (...) complex
    """Sum of filtered spectra."""
    out = torch.empty_like(spectra[0], memory_format=torch.contiguous_format)
    n = out.numel()
    sum_layers_kernel[(triton.cdiv(n, BLOCK),)](
        floats(spectra), filters.contiguous(), torch.view_as_real(out), n, len(spectra), BLOCK,
        num_warps=4, **FUSED,
    )  # fmt: skip
    return out
