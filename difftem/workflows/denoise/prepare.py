"""From the name of a method to a function that denoises: networks are loaded, trained, weighed."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from difftem.micrograph.whitened import WhitenedExposures
from difftem.networks import DeviationNetwork
from difftem.workflows.denoise.adapt import adaptation
from difftem.workflows.denoise.balance import BalancedMethod, balance
from difftem.workflows.denoise.choice import ATOMS, ATOMS_BELOW, chosen_weights
from difftem.workflows.denoise.domain import TrainedDomain, at_trained_size, trained_domain
from difftem.workflows.denoise.image_training import ImageTraining
from difftem.workflows.denoise.load_network import load_deviation, load_network
from difftem.workflows.denoise.methods import METHODS, Denoiser
from difftem.workflows.denoise.network_method import NetworkMethod
from difftem.workflows.denoise.options import DenoiseOptions
from difftem.workflows.denoise.self_trained import MINUTES, n2n, split

logger = logging.getLogger(__name__)

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
    domain : TrainedDomain or None
        What it was trained on, where that is one pixel size.
    """

    network: nn.Module
    unseen: Tensor | None = None
    deviation: DeviationNetwork | None = None
    domain: TrainedDomain | None = None


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
    ValueError
        If they are to adapt to another pixel size than that of their training, or see counts alone.
    """
    first = fields[0]
    name, device = options.weights or chosen_weights(first.pixel_size), first.values.device
    if options.weights is None and name == ATOMS:
        logger.info("pixels below %g Å: weights %s, trained to show atoms", ATOMS_BELOW, ATOMS)
    if options.weights is None and first.pixel_size is None:
        logger.info(
            "no pixel size: weights %s; where pixels are below %g Å, --pixel-size chooses %s",
            name,
            ATOMS_BELOW,
            ATOMS,
        )
    network, deviation = _loaded(name).to(device), load_deviation(name)
    deviation = None if deviation is None else deviation.to(device)
    if options.adapt is not None and getattr(network, "in_channels", 2) == 1:
        raise ValueError(
            f"adapt trains networks that see Wiener's estimate beside the counts, weights "
            f"{Path(name).name} see the counts alone: leave --adapt out; see difftem docs weights"
        )
    domain = trained_domain(getattr(network, "account", {}), name)
    if domain is not None:
        _tell_domain(domain, name, first)
        if domain.resamples(first.pixel_size):
            deviation = None  # it knows pixels of one size
            if options.adapt is not None:
                raise ValueError(
                    f"adapt trains weights {name} at their own {domain.pixel_size:g} Å/pixel, the "
                    f"image has {first.pixel_size:g}: resample it, or leave --adapt out; "
                    "see difftem docs weights"
                )
    if options.adapt is None:
        return ReadyNetwork(network, None, deviation, domain)
    found = adaptation(network, fields, options.adapt, seed=options.seed, progress=True)
    logger.info("adapted to the images: %s", found.sentence())
    alone = found.kept and len(fields) == 1
    return ReadyNetwork(found.network, found.held_out[0] if alone else None, deviation, domain)


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
    method: Denoiser = NetworkMethod(ready.network, options.rotations, progress)
    if (size := whitened.pixel_size) is not None:
        if ready.domain is not None and ready.domain.resamples(size):
            method = at_trained_size(method, ready.domain, size, options.seed)
    if not options.balance:
        return method
    unseen = None if ready.unseen is None else ready.unseen.to(whitened.values.device)
    weighed = balance(
        method, pixel_size=whitened.pixel_size, where=unseen, trained=name not in SELF_TRAINED
    )
    gain = weighed.weigh(whitened.values, whitened.electrons, generator)
    return BalancedMethod(method, gain)


def _tell_domain(domain: TrainedDomain, name: str, field: WhitenedExposures) -> None:
    """Say how an image differs from those that weights were trained on."""
    electrons = len(field.values) * field.electrons
    notes, warnings = domain.sentences(Path(name).name, electrons, field.pixel_size)
    for line in notes:
        logger.info("%s", line)
    for line in warnings:
        logger.warning("%s", line)


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
