"""A CUDA device that is not there: tensors that say ``cuda:0`` and compute on the CPU.

What only a GPU would mind is found without one: a tensor of the CPU that meets one of the device, a
kernel that is given the wrong one, and how often the host waits for a number. Kernels run in
Triton's interpreter. Outside the tests' own tensors nothing changes: to PyTorch's C++ code the
device is ``meta``, which has no memory, so what slips through ends in an error or in garbage.
"""

import pkgutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
import torch
from torch import Tensor
from torch._library.custom_ops import OPDEFS
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

import kernels_triton

CUDA = torch.device("cuda:0")
aten = torch.ops.aten
# Their results are as large as the data say: the host has to wait for that.
WAITING = {
    aten.nonzero.default, aten._unique2.default, aten.bincount.default,
    aten.masked_select.default, aten.unique_consecutive.default,
}  # fmt: skip
INDEXING = {aten.index.Tensor, aten.index_put_.default, aten._index_put_impl_.default}


class GpuTensor(Tensor):
    """A tensor that says it is on the device; `held` has its numbers."""

    @staticmethod
    def __new__(cls, held):
        """Wrap a tensor of the CPU."""
        return Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device="meta",
        )

    def __init__(self, held):
        # A wrapper has no conjugate bit: what kernels and views read is what it says.
        self.held = held.resolve_conj().resolve_neg()

    is_cuda = property(lambda self: True)
    is_meta = property(lambda self: False)
    device = property(lambda self: CUDA)

    def get_device(self):
        """Return the number of the device."""
        return 0

    def tolist(self):
        """Copy to the host."""
        _traffic["waits"] += 1
        return self.held.tolist()

    def __repr__(self):
        return f"GpuTensor({self.held})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        """Compute on the CPU."""
        return _compute(func, args, kwargs or {})


_traffic = Counter()


@contextmanager
def pretend_gpu() -> Iterator[Counter]:
    """Pretend, and count: how often the host ``waits``, tensors ``sent`` without, kernels by name.

    It waits for copies from the device, for those to it without ``non_blocking``, for sizes that
    depend on data, and to synchronise.
    """
    _traffic.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "current_device", lambda: 0)
        patch.setattr(torch.cuda, "is_initialized", lambda: True)
        patch.setattr(torch.cuda, "mem_get_info", lambda device: (10**10, 10**11))
        patch.setattr(torch.cuda, "synchronize", lambda: _traffic.update(waits=1))
        patch.delenv("DIFFTEM_KERNELS", raising=False)
        for found in pkgutil.iter_modules(kernels_triton.__path__, "kernels_triton."):
            module = import_module(found.name)
            for name in dir(module):
                if name.endswith("_kernel"):
                    patch.setattr(module, name, _Kernel(name, getattr(module, name)))
        with _Calls(), _Factories():
            yield _traffic


class _Kernel:
    """A kernel that takes tensors of the device alone."""

    def __init__(self, name, kernel):
        self.name, self.kernel = name, kernel

    def __getitem__(self, grid):
        def launch(*args, **kwargs):
            for i, arg in enumerate(args):
                if isinstance(arg, Tensor) and not isinstance(arg, GpuTensor):
                    raise RuntimeError(f"{self.name} is given a tensor of the CPU: argument {i}")
            _traffic[self.name] += 1
            return self.kernel[grid](*map(_held, args), **kwargs)

        return launch


class _Factories(TorchDispatchMode):
    """New tensors on the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _compute(func, args, kwargs or {})


class _Calls(TorchFunctionMode):
    """Keep PyTorch from looking for the device."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in ("to", "cuda") and isinstance(args[0], Tensor):
            return _move(func, args, kwargs)
        if name == "__getitem__" and isinstance(args[1], list):
            return func(args[0], torch.tensor(args[1]))  # else C++ makes it, on "meta"
        if _is_gpu(kwargs.get("device")):
            _traffic["waits"] += name in ("tensor", "as_tensor")
            return GpuTensor(func(*args, **kwargs | {"device": "cpu"}))
        return func(*args, **kwargs)


def _is_gpu(device):
    return device is not None and torch.device(device).type in ("cuda", "meta")


def _held(value):
    return value.held if isinstance(value, GpuTensor) else value


def _move(func, args, kwargs):
    """Run `Tensor.to` and `Tensor.cuda`."""
    tensor, *rest = args
    if func.__name__ == "cuda":
        kwargs = {"device": CUDA}
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    non_blocking = kwargs.get("non_blocking", False)
    for each in rest:
        if isinstance(each, Tensor):
            device, dtype = each.device, each.dtype
        elif isinstance(each, torch.dtype):
            dtype = each
        elif isinstance(each, (str, torch.device)):
            device = each
    if device is None:
        return func(*args, **kwargs)
    if _is_gpu(device) == tensor.is_cuda and dtype in (None, tensor.dtype):
        return tensor
    device = "meta" if _is_gpu(device) else "cpu"
    return aten._to_copy(tensor, dtype=dtype, device=device, non_blocking=non_blocking)


def _compute(func, args, kwargs):
    """Run one operation on what the tensors hold, if they are where they should be."""
    if func.namespace == "difftem":
        with _Calls(), _Factories():
            return OPDEFS[func._schema.name]._init_fn(*args, **kwargs)
    given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    on_gpu = [isinstance(tensor, GpuTensor) for tensor in given]
    device = kwargs.get("device")
    to_gpu = _is_gpu(device) if device is not None else any(on_gpu)
    held_args, held_kwargs = tree_map(_held, (args, kwargs))
    if device is not None:
        held_kwargs["device"] = "cpu"
    out = func(*held_args, **held_kwargs)
    if func in (aten._local_scalar_dense.default, aten.equal.default):
        _traffic["waits"] += any(on_gpu)
        return out
    if func in (aten._to_copy.default, aten.copy_.default):
        source, target = (on_gpu[0], to_gpu) if len(on_gpu) == 1 else (on_gpu[1], on_gpu[0])
        if source != target:
            _traffic["sent" if target and kwargs.get("non_blocking") else "waits"] += 1
    elif any(on_gpu):
        strays = [t for t, there in zip(given, on_gpu, strict=True) if not there and t.ndim]
        if strays and (func not in INDEXING or not on_gpu[0]):
            raise RuntimeError(
                f"{func}: cuda:0 meets a tensor of the CPU of shape {strays[0].shape}"
            )
        _traffic["waits"] += len(strays) + (func in WAITING)
    if not to_gpu:
        return out
    out = tree_map(lambda x: GpuTensor(x) if isinstance(x, Tensor) else x, out)
    return return_and_correct_aliasing(func, args, kwargs, out)
