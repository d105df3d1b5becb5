"""The one place that decides between PyTorch and a Triton kernel."""

import functools
import os
from importlib.util import find_spec

import torch
from torch import Tensor

VARIABLE = "DIFFTEM_KERNELS"
MODES = ("auto", "torch", "triton")
KERNEL_DTYPES = (torch.float32, torch.complex64)


def kernel_mode() -> str:
    """Value of the environment variable ``DIFFTEM_KERNELS``.

    Returns
    -------
    str
        ``auto`` (also where it is unset): Triton for single-precision tensors on the current CUDA
        device, PyTorch for everything else; ``torch``: PyTorch everywhere; ``triton``: Triton
        wherever a kernel exists, in any precision, on the CPU in Triton's interpreter.

    Raises
    ------
    ValueError
        For any other value.
    """
    mode = os.environ.get(VARIABLE) or "auto"
    if mode not in MODES:
        raise ValueError(f"{VARIABLE} must be one of {', '.join(MODES)}, got {mode!r}")
    return mode


def use_triton(*tensors: Tensor) -> bool:
    """Whether an operation on these tensors runs as a Triton kernel.

    Parameters
    ----------
    *tensors : Tensor
        What the kernel would read: all of them must fit.

    Returns
    -------
    bool
        By `kernel_mode`.

    Raises
    ------
    ValueError
        If the environment asks for Triton on a CPU without its interpreter, or on another device
        than the current one.
    """
    mode = kernel_mode()
    if mode == "torch":
        return False
    on_device = all(tensor.is_cuda for tensor in tensors)
    if mode == "auto":
        return (
            on_device
            and all(tensor.dtype in KERNEL_DTYPES for tensor in tensors)
            and _on_current_device(tensors)
            and _triton_is_installed()
        )
    if on_device and not _on_current_device(tensors):
        raise ValueError(f"{VARIABLE}=triton needs tensors on the current CUDA device")
    if not on_device and os.environ.get("TRITON_INTERPRET") != "1":
        raise ValueError(
            f"{VARIABLE}=triton needs tensors on a CUDA device, or TRITON_INTERPRET=1 on a CPU"
        )
    return True


def _on_current_device(tensors: tuple[Tensor, ...]) -> bool:
    """PyTorch minds a tensor's device, Triton launches on the current one."""
    return all(tensor.get_device() == torch.cuda.current_device() for tensor in tensors)


@functools.cache
def _triton_is_installed() -> bool:
    return find_spec("triton") is not None
