"""A differentiable transmission electron microscope: from atoms to micrographs, in PyTorch.

The verbs do what the commands of the same name do; the nouns are their parts:

>>> import difftem
>>> sorted(set(dir(difftem)) & {"simulate", "generate", "denoise", "estimate_mtf", "Atoms"})
['Atoms', 'denoise', 'estimate_mtf', 'generate', 'simulate']

`difftem.modules` holds the stages of the microscope as `torch.nn.Module`, in the order of the
beam: atoms, potential, multislice, lens, dose, poisson, mtf, detector; `difftem.functional` their
pure functions. ``difftem --help`` lists the commands.
"""

from typing import Any as _Any

__version__ = "0.1.0"

# Loaded when asked for (PEP 562): importing difftem loads nothing heavy.
_EXPORTS = {
    "simulate": "difftem.workflows.simulate",
    "generate": "difftem.workflows.generate.micrograph_set",
    "denoise": "difftem.workflows.denoise.denoise",
    "analyze": "difftem.workflows.analyze.analyze",
    "reconstruct": "difftem.workflows.reconstruct.reconstruct",
    "render": "difftem.workflows.render.render",
    "compare": "difftem.workflows.compare.compare",
    "estimate_mtf": "difftem.workflows.estimate_mtf.mtf_estimate",
    "estimate_dqe": "difftem.workflows.estimate_dqe.dqe_estimate",
    "read_structure": "difftem.io.structure",
    "Atoms": "difftem.atoms",
    "Simulator": "difftem.modules.simulator",
}
__all__ = [*_EXPORTS, "__version__"]


def __getattr__(name: str) -> _Any:
    """Import what is exported under a name."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'difftem' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List exports, loaded or not."""
    return sorted({*globals(), *_EXPORTS})
