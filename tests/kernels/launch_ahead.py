"""Launch every kernel as the ops do, on a GPU that need not be there: compile, and do not run.

Run as ``python -m tests.kernels.launch_ahead``: prints, as JSON, how many variants of each kernel
the launches of each case asked the compiler for. What `compile_ahead` writes down by hand, types
and divisibility of arguments, Triton finds here by itself.
"""

import json
from collections import defaultdict
from itertools import product
from unittest import mock

import torch
from triton.backends.compiler import GPUTarget
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from difftem.modules import Potential
from difftem.ops import patches, potential, projection, wave_buffers
from difftem.ops import wave as wave_ops
from experiments.kernel_speed.cases import CASES, CHECKED
from experiments.kernel_speed.measure import everything, forward
from tests.helpers.specimen import random_atoms

CPU = torch.device("cpu")


class NoGpu:
    """What Triton asks of a driver before it launches."""

    def get_current_device(self):
        """Return its number."""
        return 0

    def get_current_stream(self, device=None):
        """Return its number."""
        return 0

    def get_current_target(self):
        """Return what is compiled for."""
        return GPUTarget("cuda", 90, 32)


def slices_of_many_lengths():
    """Potentials whose slices begin at any atom: any alignment."""
    for n_atoms in (7, 13, 14, 17, 33, 100):
        atoms = random_atoms(n_atoms, (30.0, 30.0, 20.0), (6, 7, 8), (20.0, 40.0))
        one = Potential(
            atoms, (64, 64), 0.5, 10, 2.0, interpolate_z=True, learnable=["positions"]
        ).to(torch.float32)
        one().sum().backward()


def learned_propagator():
    """Gradient of a propagator."""
    wave, propagator = (torch.ones(64, 64, dtype=torch.complex64) for _ in range(2))
    wave_ops.propagate(wave, propagator.requires_grad_()).real.sum().backward()


def patches_of_both_kinds():
    """Real and complex patches on a field, any number of them."""
    for dtype, n in product((torch.float32, torch.complex64), (1, 2, 16)):
        images = torch.ones(n, 9, 12, dtype=dtype, requires_grad=True)
        corners = torch.arange(2 * n).reshape(n, 2) - 3
        field = patches.add_patches(torch.zeros(40, 40, dtype=dtype), images, corners)
        field.real.sum().backward()


def main() -> None:
    """Run all cases."""
    variants = defaultdict(set)
    run = JITFunction.run

    def compile_only(kernel, *args, **kwargs):
        compiled = run(kernel, *args, **kwargs | {"warmup": True})
        variants[kernel.fn.__name__].add(compiled.hash)

    driver.set_active(NoGpu())
    found = {}
    with mock.patch.object(JITFunction, "run", compile_only):
        for module in (patches, potential, projection, wave_ops, wave_buffers):
            module.use_triton = lambda *tensors: True
        for name, case in CASES.items():
            work = case(CHECKED[name], CPU, torch.float32, 0)
            everything(work)
            forward(work)
            found[name] = {kernel: len(each) for kernel, each in variants.items()}
            variants.clear()
        for run_case in (slices_of_many_lengths, learned_propagator, patches_of_both_kinds):
            run_case()
            found[run_case.__name__] = {kernel: len(each) for kernel, each in variants.items()}
            variants.clear()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
