"""The methods by name: all take whitened exposures and give an estimate of one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import torch
from torch import Tensor

# (exposures (n, y, x) whitened, electrons per pixel, generator) -> (y, x) in units of one exposure
Denoiser = Callable[[Tensor, float, torch.Generator | None], Tensor]


@dataclass(frozen=True)
class DenoiseMethod:
    """What a user chooses.

    Attributes
    ----------
    what : str
        In a few words.
    place : str
        Module and function, ``"module:function"``, of the `Denoiser`.
    least_exposures : int
        That it needs.
    trained : bool
        It has a network that was trained before, and is weighed against Wiener's filter.
    weights : str
        Argument of the function that takes a file of weights, where it has one.
    """

    what: str
    place: str
    least_exposures: int = 1
    trained: bool = False
    weights: str = ""

    def load(self, weights: str | None = None) -> Denoiser:
        """Import the function, and let it use a file of weights."""
        module, _, name = self.place.partition(":")
        found: Denoiser = getattr(import_module(module), name)
        return found if weights is None else partial(found, **{self.weights: weights})


METHODS = {
    "sbd": DenoiseMethod(
        "a network trained on simulated micrographs, over Wiener's filter",
        "difftem.workflows.denoise.network_method:NetworkMethod",
        trained=True,
    ),
    "split": DenoiseMethod(
        "a network trained on splits of the image's own electrons",
        "difftem.workflows.denoise.self_trained:split",
    ),
    "n2n": DenoiseMethod(
        "a network trained on the exposures of a field",
        "difftem.workflows.denoise.self_trained:n2n",
        least_exposures=2,
    ),
    "noise2noise": DenoiseMethod(
        "Lehtinen's UNet, trained on pairs of noisy images (--weights)",
        "difftem.workflows.denoise.noise2noise:noise2noise",
        weights="weights",
    ),
    "wiener": DenoiseMethod(
        "Wiener's filter by the image's own spectrum", "difftem.baselines.wiener:wiener"
    ),
    "gaussian": DenoiseMethod(
        "a Gaussian, as wide as predicts best",
        "difftem.baselines.gaussian:gaussian",
    ),
    "vst": DenoiseMethod("non-local means of stabilised counts", "difftem.baselines.vst:vst"),
    "wavelets": DenoiseMethod(
        "shrunk wavelets of stabilised counts",
        "difftem.baselines.wavelets:wavelets",
    ),
    "pure_let": DenoiseMethod(
        "Haar wavelets of counts, shrunk by Poisson's unbiased risk",
        "difftem.baselines.pure_let:pure_let",
    ),
    "bmnd": DenoiseMethod(
        "block matching for counts",
        "difftem.baselines.block_matching:bmnd",
    ),
    "bm3d": DenoiseMethod(
        "BM3D, of a package for non-commercial use only",
        "difftem.baselines.block_matching:bm3d",
    ),
    "topaz": DenoiseMethod(
        "Topaz, a program of its own: its unet, or another of its models",
        "difftem.baselines.topaz:topaz",
        weights="model",
    ),
    "topaz_small": DenoiseMethod(
        "Topaz's small unet",
        "difftem.baselines.topaz:topaz_small",
    ),
    "topaz_trained": DenoiseMethod(
        "what Topaz has learnt from simulated pairs (--weights)",
        "difftem.baselines.topaz:topaz_trained",
        weights="model",
    ),
    "average": DenoiseMethod(
        "the mean of the exposures",
        "difftem.baselines.average:average",
    ),
    "map": DenoiseMethod(
        "the most probable image, by the likelihood of counts and total variation",
        "difftem.baselines.map_estimate:maximum_a_posteriori",
    ),
    "paper": DenoiseMethod(
        "the DiffTEM paper's: the average, learnt through Poisson noise; contrast drifts",
        "difftem.baselines.paper:paper",
    ),
    "paper_exact": DenoiseMethod(
        "what that converges to: the average",
        "difftem.baselines.paper:paper_exact",
    ),
}


def methods_with_weights() -> tuple[str, ...]:
    """Names of methods that take a file of weights."""
    return tuple(name for name, method in METHODS.items() if method.trained or method.weights)
