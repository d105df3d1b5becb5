"""From the name of a method to a function that denoises: networks are loaded, trained, weighed."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from difftem.micrograph.whitened import WhitenedExposures
from difftem.networks import DeviationNetwork
from difftem.workflows.denoise.adapt import adaptation
from difftem.workflows.denoise.balance import BalancedMethod, balance
from difftem.workflows.denoise.image_training import ImageTraining
from difftem.workflows.denoise.load_network import load_deviation, load_network
from difftem.workflows.denoise.methods import METHODS, Denoiser
from difftem.workflows.denoise.network_method import NetworkMethod
from difftem.workflows.denoise.options import DenoiseOptions
from difftem.workflows.denoise.self_trained import MINUTES, n2n, split

logger = logging.getLogger(__name__)

WEIGHTS = "cryo"
SELF_TRAINED = ("split", "n2n")


class ReadyNetwork(NamedTuple):
    """A trained network, and the pixels of the image that it has not seen, if it saw others.

    Attributes
    ----------
    network : Module
        On whitened values and Wiener's estimate.
    unseen : Tensor or None
        True where the image was held out, shape ``(y, x)``; None where all of it was.
    deviation : DeviationNetwork or None
        That was trained with it.
    """

    network: nn.Module
    unseen: Tensor | None = None
    deviation: DeviationNetwork | None = None


def trained_network(options: DenoiseOptions, fields: Sequence[WhitenedExposures]) -> ReadyNetwork:
    """Load the network that was trained before, and adapt it to images if that was asked for.

    Parameters
    ----------
    options : DenoiseOptions
        What was asked for.
    fields : sequence of WhitenedExposures
        To adapt to.

    Returns
    -------
    ReadyNetwork
        On the device of the fields.

    Raises
    ------
    InputError
        For weights that are missing, damaged or foreign.
    """
    name, device = options.weights or WEIGHTS, fields[0].values.device
    network, deviation = _loaded(name).to(device), load_deviation(name)
    deviation = None if deviation is None else deviation.to(device)
    if options.adapt is None:
        return ReadyNetwork(network, None, deviation)
    found = adaptation(network, fields, options.adapt, seed=options.seed, progress=True)
    logger.info("adapted to the images: %s", found.sentence())
    alone = found.kept and len(fields) == 1
    return ReadyNetwork(found.network, found.held_out[0] if alone else None, deviation)


def prepared_method(
    name: str,
    options: DenoiseOptions,
    whitened: WhitenedExposures,
    ready: ReadyNetwork | None,
    generator: torch.Generator,
    progress: bool = False,
) -> Denoiser:
    """Make the function that denoises an image.

    Parameters
    ----------
    name : str
        Of the method.
    options : DenoiseOptions
        What was asked for.
    whitened : WhitenedExposures
        The image: what methods train on, and are weighed by.
    ready : ReadyNetwork or None
        From `trained_network`, for methods that need one.
    generator : torch.Generator
        For methods that draw.
    progress : bool
        Show bars.

    Returns
    -------
    callable
        That gives the same for the same image, whenever it is called.
    """
    if name in SELF_TRAINED:
        ready = _self_trained(name, options, whitened, generator, progress)
    elif ready is None:
        return METHODS[name].load(options.weights)
    method = NetworkMethod(ready.network, options.rotations, progress)
    if not options.balance:
        return method
    unseen = None if ready.unseen is None else ready.unseen.to(whitened.values.device)
    weighed = balance(
        method, pixel_size=whitened.pixel_size, where=unseen, trained=name not in SELF_TRAINED
    )
    gain = weighed.weigh(whitened.values, whitened.electrons, generator)
    return BalancedMethod(method, gain)


def _self_trained(
    name: str,
    options: DenoiseOptions,
    whitened: WhitenedExposures,
    generator: torch.Generator,
    progress: bool,
) -> ReadyNetwork:
    """Train a network on the image alone."""
    trained: list[ImageTraining] = []
    method = split if name == "split" else n2n
    method(
        whitened.values,
        whitened.electrons,
        generator,
        minutes=options.minutes or MINUTES,
        run=lambda network, noisy, wiener: wiener,  # the network is run later, in tiles
        told=trained.append,
        progress=progress,
    )
    logger.info("%s: %s", name, trained[0].sentence())
    return ReadyNetwork(trained[0].network, trained[0].held_out[0] if trained[0].kept else None)


@lru_cache(maxsize=2)
def _loaded(name: str) -> nn.Module:
    """Load a network once."""
    return load_network(name)
