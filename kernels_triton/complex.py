"""Complex numbers in Triton: two floats in turn, as `torch.view_as_real` shows them."""

import torch
import triton
import triton.language as tl
from torch import Tensor


def floats(
    array: Tensor,
) -> Tensor:
    """Contiguous floats of a real or complex tensor; no copy where there need not be one."""
    array = array.resolve_conj().resolve_neg().contiguous()
    return torch.view_as_real(array) if array.is_complex() else array


@triton.jit
def load_complex(pointer, start, n, BLOCK: tl.constexpr):
    """Real and imaginary parts of BLOCK numbers from `start` on, 0 beyond n; 2 n may pass int32."""
    offsets = start * 2 + tl.arange(0, 2 * BLOCK)
    both = tl.load(pointer + offsets, mask=offsets - n < n, other=0.0)
    return tl.split(tl.reshape(both, (BLOCK, 2)))


@triton.jit
def store_complex(pointer, start, n, real, imaginary, BLOCK: tl.constexpr):
    """Write BLOCK numbers from `start` on, none beyond n."""
    offsets = start * 2 + tl.arange(0, 2 * BLOCK)
    both = tl.reshape(tl.join(real, imaginary), (2 * BLOCK,))
    tl.store(pointer + offsets, both, mask=offsets - n < n)
