"""The two pointwise passes of multislice: transmission functions and propagators.

A wave of shape ``(*batch, y, x)`` is read as ``groups`` x ``repeats`` images of n pixels; what it
is multiplied with has one image per group.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels_triton.complex import floats, load_complex, store_complex
from kernels_triton.options import FUSED


@triton.jit
def load_transmission(
    potential, elastic, absorbing, start, n, COMPLEX: tl.constexpr, ABSORBING: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Potential, exp(i (e + i b) v) and the constants e and b."""
    e = tl.load(elastic)
    b = e * 0
    if COMPLEX:
        real, imaginary = load_complex(potential, start, n, BLOCK)
    else:
        offsets = start + tl.arange(0, BLOCK)
        real = tl.load(potential + offsets, mask=offsets < n, other=0.0)
        imaginary = real * 0
    phase = e * real
    cosine, sine = tl.cos(phase), tl.sin(phase)
    if ABSORBING:
        b = tl.load(absorbing)
        if COMPLEX:
            phase -= b * imaginary
            cosine, sine = tl.cos(phase), tl.sin(phase)
    if COMPLEX or ABSORBING:
        decay = tl.exp(-(e * imaginary + b * real))
        cosine, sine = cosine * decay, sine * decay
    return real, imaginary, cosine, sine, e, b


@triton.jit
def transmit_fwd_kernel(
    wave, potential, elastic, absorbing, out, n, repeats,
    COMPLEX: tl.constexpr, ABSORBING: tl.constexpr, CONJUGATE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Multiply `repeats` waves by the transmission function of their slice, or its conjugate."""
    start = tl.program_id(0).to(tl.int64) * BLOCK
    group = tl.program_id(1).to(tl.int64)
    part = 2 if COMPLEX else 1
    _, _, cosine, sine, _, _ = load_transmission(
        potential + group * n * part, elastic, absorbing, start, n, COMPLEX, ABSORBING, BLOCK
    )
    if CONJUGATE:
        sine = -sine
    for repeat in range(repeats):
        image = (group * repeats + repeat) * n * 2
        real, imaginary = load_complex(wave + image, start, n, BLOCK)
        store_complex(
            out + image, start, n,
            real * cosine - imaginary * sine, real * sine + imaginary * cosine, BLOCK,
        )  # fmt: skip


@triton.jit
def transmit_bwd_kernel(
    grad, wave, potential, elastic, absorbing, grad_wave, grad_potential, sums, n, repeats,
    COMPLEX: tl.constexpr, ABSORBING: tl.constexpr, CONSTANTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients of waves and slice; those of e and b as one sum per program."""
    start = tl.program_id(0).to(tl.int64) * BLOCK
    group = tl.program_id(1).to(tl.int64)
    part = 2 if COMPLEX else 1
    v_real, v_imaginary, cosine, sine, e, b = load_transmission(
        potential + group * n * part, elastic, absorbing, start, n, COMPLEX, ABSORBING, BLOCK
    )
    by_phase = tl.zeros_like(v_real)
    by_decay = tl.zeros_like(v_real)
    for repeat in range(repeats):
        image = (group * repeats + repeat) * n * 2
        real, imaginary = load_complex(grad + image, start, n, BLOCK)
        back_real = real * cosine + imaginary * sine
        back_imaginary = imaginary * cosine - real * sine
        real, imaginary = load_complex(wave + image, start, n, BLOCK)
        # s = wave * conj(back): minus its parts are the gradients of phase and decay.
        by_phase += real * back_imaginary - imaginary * back_real
        by_decay -= real * back_real + imaginary * back_imaginary
        store_complex(grad_wave + image, start, n, back_real, back_imaginary, BLOCK)
    if COMPLEX:
        store_complex(
            grad_potential + group * n * 2, start, n,
            e * by_phase + b * by_decay, e * by_decay - b * by_phase, BLOCK,
        )  # fmt: skip
    else:
        offsets = start + tl.arange(0, BLOCK)
        by_v = e * by_phase + b * by_decay if ABSORBING else e * by_phase
        tl.store(grad_potential + group * n + offsets, by_v, mask=offsets < n)
    if CONSTANTS:
        program = group * tl.num_programs(0) + tl.program_id(0)
        tl.store(sums + program * 2, tl.sum(v_real * by_phase + v_imaginary * by_decay))
        tl.store(sums + program * 2 + 1, tl.sum(v_real * by_decay - v_imaginary * by_phase))


@triton.jit
def propagate_kernel(
    spectrum, propagator, n, repeats, CONJUGATE: tl.constexpr, BLOCK: tl.constexpr
):
    """Multiply spectra by their propagator, or its conjugate, and by 1/n, in place."""
    start = tl.program_id(0).to(tl.int64) * BLOCK
    group = tl.program_id(1).to(tl.int64)
    p_real, p_imaginary = load_complex(propagator + group * n * 2, start, n, BLOCK)
    if CONJUGATE:
        p_imaginary = -p_imaginary
    p_real /= n
    p_imaginary /= n
    for repeat in range(repeats):
        image = (group * repeats + repeat) * n * 2
        real, imaginary = load_complex(spectrum + image, start, n, BLOCK)
        store_complex(
            spectrum + image, start, n,
            real * p_real - imaginary * p_imaginary, real * p_imaginary + imaginary * p_real, BLOCK,
        )  # fmt: skip


@triton.jit
def propagator_bwd_kernel(spectrum, grad, out, n, repeats, BLOCK: tl.constexpr):
    """Gradient of a propagator: sum over its waves of conj(spectrum) * grad / n."""
    start = tl.program_id(0).to(tl.int64) * BLOCK
    group = tl.program_id(1).to(tl.int64)
    total_real = tl.zeros((BLOCK,), out.dtype.element_ty)
    total_imaginary = tl.zeros((BLOCK,), out.dtype.element_ty)
    for repeat in range(repeats):
        image = (group * repeats + repeat) * n * 2
        real, imaginary = load_complex(spectrum + image, start, n, BLOCK)
        g_real, g_imaginary = load_complex(grad + image, start, n, BLOCK)
        total_real += real * g_real + imaginary * g_imaginary
        total_imaginary += real * g_imaginary - imaginary * g_real
    store_complex(out + group * n * 2, start, n, total_real / n, total_imaginary / n, BLOCK)


def launch_size(
    n: int,
) -> tuple[int, int]:  # BLOCK, num_warps
    """Pixels of one program and its warps; the interpreter and small images take few programs."""
    return (1024, 4) if n >= 1024 else (256, 2)


def groups_of(
    wave: Tensor,  # (*batch, y, x)
    other: Tensor,  # (y, x) or (*batch, y, x)
) -> tuple[int, int, int]:
    """Pixels of an image, images of `other`, and waves that share each."""
    n = wave.shape[-2] * wave.shape[-1]
    images = other.numel() // n
    return n, images, wave.numel() // n // images


def transmit_fwd(
    wave: Tensor,  # (*batch, y, x) complex
    projected_potential: Tensor,  # (y, x) or (*batch, y, x) V Å
    elastic: Tensor,  # () rad / (V Å)
    absorbing: Tensor | None = None,  # ()
    out: Tensor | None = None,  # (*batch, y, x) complex, contiguous; may be `wave`
    conjugate: bool = False,
) -> Tensor:  # (*batch, y, x) complex
    """Multiply waves by transmission functions."""
    out = torch.empty_like(wave, memory_format=torch.contiguous_format) if out is None else out
    n, images, repeats = groups_of(wave, projected_potential)
    block, warps = launch_size(n)
    transmit_fwd_kernel[(triton.cdiv(n, block), images)](
        floats(wave), floats(projected_potential), elastic,
        elastic if absorbing is None else absorbing, torch.view_as_real(out), n, repeats,
        projected_potential.is_complex(), absorbing is not None, conjugate, block,
        num_warps=warps, **FUSED,
    )  # fmt: skip
    return out


def transmit_bwd(
    grad: Tensor,  # (*batch, y, x) complex
    wave: Tensor,  # (*batch, y, x) complex
    projected_potential: Tensor,  # (y, x) or (*batch, y, x) V Å
    elastic: Tensor,  # () rad / (V Å)
    absorbing: Tensor | None = None,  # ()
    out: Tensor | None = None,  # (*batch, y, x) complex, contiguous; may be `grad`
    constants: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:  # like wave, like projected_potential, (2,)
    """Gradients of waves, slice, and (e, b): zeros for these without `constants`."""
    out = torch.empty_like(grad, memory_format=torch.contiguous_format) if out is None else out
    n, images, repeats = groups_of(wave, projected_potential)
    block, warps = launch_size(n)
    grid = (triton.cdiv(n, block), images)
    sums = out.real.new_zeros(grid[0] * grid[1] if constants else 1, 2)
    potential = floats(projected_potential)
    grad_potential = torch.empty_like(potential)
    transmit_bwd_kernel[grid](
        floats(grad), floats(wave), potential, elastic,
        elastic if absorbing is None else absorbing, torch.view_as_real(out), grad_potential, sums,
        n, repeats, projected_potential.is_complex(), absorbing is not None, constants, block,
        num_warps=warps, **FUSED,
    )  # fmt: skip
    if projected_potential.is_complex():
        grad_potential = torch.view_as_complex(grad_potential)
    return out, grad_potential, sums.sum(0) if constants else sums[0]


def propagate_fwd(
    wave: Tensor,  # (*batch, y, x) complex
    propagator: Tensor,  # (y, x) or (*batch, y, x) complex
    conjugate: bool = False,
) -> Tensor:  # (*batch, y, x) complex
    """FFT, product, inverse FFT; the latter's 1/n is in the product."""
    spectrum = torch.fft.fft2(wave).contiguous()
    n, images, repeats = groups_of(wave, propagator)
    block, warps = launch_size(n)
    propagate_kernel[(triton.cdiv(n, block), images)](
        torch.view_as_real(spectrum), floats(propagator), n, repeats, conjugate, block,
        num_warps=warps, **FUSED,
    )  # fmt: skip
    return torch.fft.ifft2(spectrum, norm="forward").contiguous()


def propagator_bwd(
    grad: Tensor,  # (*batch, y, x) complex
    wave: Tensor,  # (*batch, y, x) complex
    propagator: Tensor,  # (y, x) or (*batch, y, x) complex
) -> Tensor:  # like propagator
    """Gradient of a propagator from that of the propagated waves."""
    n, images, repeats = groups_of(wave, propagator)
    block, warps = launch_size(n)
    out = torch.empty_like(propagator, memory_format=torch.contiguous_format)
    propagator_bwd_kernel[(triton.cdiv(n, block), images)](
        floats(torch.fft.fft2(wave)), floats(torch.fft.fft2(grad)), torch.view_as_real(out),
        n, repeats, block, num_warps=warps, **FUSED,
    )  # fmt: skip
    return out
