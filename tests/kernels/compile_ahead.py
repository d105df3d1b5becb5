"""Compile every Triton kernel for GPUs that need not be there, without the interpreter.

Run as ``python -m tests.kernels.compile_ahead sm_80 sm_90``: prints, as JSON, the bytes of shared
memory that each variant of each kernel takes. A variant is compiled aligned for one architecture
and unaligned for the next, and the kernel's next variant the other way round: all pairs of kernel,
architecture and alignment are there in half the time that all triples would take.
"""

import importlib
import json
import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from kernels_triton.options import FUSED

FLOAT = "*fp32"
WARPS = {"spread_fwd_kernel": 1}  # 4 without it
# Constants that the launchers pass; every branch of a kernel is in one of its variants. A size of 1
# is a constant for the compiler, so it has a variant too.
SPREAD = {"WIDTH": 6, "TILE": 16, "LAYERS": 8}
POINTS = {"WIDTH": 4, "SPAN": 4, "POINTS": 128}
GATHER = {"WIDTH": 6, "SPAN": 8, "POINTS": 16}
TILE = {"PARTS": 2, "TILE_Y": 32, "TILE_X": 64}
WAVE = {"COMPLEX": False, "ABSORBING": False, "BLOCK": 1024}
KERNELS = {
    "multislice.transmit_fwd_kernel": [
        WAVE | {"CONJUGATE": False, "repeats": 1},
        WAVE | {"COMPLEX": True, "ABSORBING": True, "CONJUGATE": True, "BLOCK": 256},
    ],
    "multislice.transmit_bwd_kernel": [
        WAVE | {"CONSTANTS": False, "repeats": 1},
        WAVE | {"COMPLEX": True, "ABSORBING": True, "CONSTANTS": True},
    ],
    "multislice.propagate_kernel": [{"CONJUGATE": True, "BLOCK": 1024, "repeats": 1}],
    "multislice.propagator_bwd_kernel": [{"BLOCK": 1024, "repeats": 1}],
    "patches.add_patches_fwd_kernel": [TILE, TILE | {"PARTS": 1}],
    "patches.add_patches_bwd_kernel": [
        {"PARTS": 2, "BLOCK": 1024},
        {"PARTS": 1, "BLOCK": 1024, "size_y": 1, "size_x": 1},
    ],
    "layers.sum_layers_kernel": [{"BLOCK": 512}, {"BLOCK": 512, "n_layers": 1}],
    "projection.interpolate_fwd_kernel": [POINTS, POINTS | {"WIDTH": 6, "SPAN": 8}],
    "projection.interpolate_bwd_kernel": [
        POINTS | {"BY_POINTS": True, "BY_TABLE": False},
        POINTS | {"BY_POINTS": True, "BY_TABLE": True, "WIDTH": 6, "SPAN": 8},
    ],
    "spread.spread_fwd_kernel": [
        SPREAD | {"n_layers": 1, "LAYERS": 1},
        SPREAD | {"WIDTH": 16},
    ],
    "spread.spread_bwd_kernel": [
        GATHER | {"n_layers": 1},
        {"WIDTH": 16, "SPAN": 16, "POINTS": 4},
    ],
}
INTEGERS = {
    "n": "i32", "repeats": "i32", "ny": "i32", "nx": "i32", "rows": "i32", "columns": "i32",
    "n_layers": "i32", "order": "*i32", "starts": "*i64",
    "size_z": "i32", "size_y": "i32", "size_x": "i32", "corners": "*i64",
}  # fmt: skip


def shared_memory(kernel, constants: dict, architecture: str, *, aligned: bool) -> int:
    """Compile one variant down to machine code and return its bytes of shared memory.

    Aligned, all that a launch looks at is divisible by 16, as it is for most sizes: loads get wider
    and layouts change.
    """
    signature, attributes = {}, {}
    for parameter in kernel.params:
        name = parameter.name
        signature[name] = kind = "constexpr" if name in constants else INTEGERS.get(name, FLOAT)
        looked_at = not parameter.do_not_specialize and not (
            kind.startswith("*") and parameter.do_not_specialize_on_alignment
        )
        if aligned and kind != "constexpr" and looked_at:
            attributes[(parameter.num,)] = [["tt.divisibility", 16]]
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=attributes)
    target = GPUTarget("cuda", int(architecture.removeprefix("sm_")), 32)
    options = {"num_warps": WARPS.get(kernel.__name__, 4), **FUSED}
    compiled = triton.compile(source, target=target, options=options)
    if not compiled.asm["cubin"]:
        raise RuntimeError(f"{kernel} gave no machine code for {architecture}")
    return compiled.metadata.shared


def main() -> None:
    """Compile all variants for the architectures of the command line."""
    found = {}
    for k, architecture in enumerate(sys.argv[1:]):
        for name, variants in KERNELS.items():
            module, _, kernel = name.partition(".")
            compiled = getattr(importlib.import_module(f"kernels_triton.{module}"), kernel)
            for i, constants in enumerate(variants):
                aligned = (i + k) % 2 == 1
                key = f"{architecture} {name} {i}{' aligned' if aligned else ''}"
                found[key] = shared_memory(compiled, constants, architecture, aligned=aligned)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
