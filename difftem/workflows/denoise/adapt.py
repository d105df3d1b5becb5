"""Fine-tuning of a network on a user's own micrographs."""

from collections.abc import Sequence

from torch import nn

from difftem.data.whole_pairs import pairs_of
from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise.image_training import ImageTraining, train_on_image

FRACTION = 0.5


def adapt(
    network: nn.Module,
    exposures: WhitenedExposures | Sequence[WhitenedExposures],
    minutes: float | None = 1.0,
    *,
    steps: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> nn.Module:
    """Fine-tune a network on images that it is to denoise; never to end worse than it began.

    Two exposures or more of a field predict one another; a single one is split by its electrons.
    Blocks of the image are held out: the weights that predict them best are kept, if they gain
    more than the error of that difference, and the weights it began with if none do.

    Parameters
    ----------
    network : Module
        Trained; it is not changed.
    exposures : WhitenedExposures or sequence of them
        One for each field.
    minutes : float, optional
        Budget of time.
    steps : int, optional
        Budget of steps instead: the result depends on nothing but the seed.
    seed : int
        Of splits, blocks and crops.
    progress : bool
        Show a bar.

    Returns
    -------
    Module
        On the same device.
    """
    return adaptation(
        network, exposures, minutes, steps=steps, seed=seed, progress=progress
    ).network


def adaptation(
    network: nn.Module,
    exposures: WhitenedExposures | Sequence[WhitenedExposures],
    minutes: float | None = 1.0,
    *,
    steps: int | None = None,
    learning_rate: float = 1e-4,
    seed: int = 0,
    progress: bool = False,
) -> ImageTraining:
    """Adapt as `adapt` does, and tell what was gained.

    Parameters
    ----------
    network, exposures, minutes, steps, seed, progress
        As of `adapt`.
    learning_rate : float
        Highest.

    Returns
    -------
    ImageTraining
        Network and numbers.

    Raises
    ------
    ValueError
        Without a field, or a budget.
    """
    fields = [exposures] if isinstance(exposures, WhitenedExposures) else list(exposures)
    if not fields:
        raise ValueError("exposures must be of one field or more, got none")
    return train_on_image(
        network,
        [pairs_of(field.values, field.electrons, FRACTION, seed) for field in fields],
        minutes=None if steps else minutes,
        steps=steps,
        learning_rate=learning_rate,
        pixel_size=fields[0].pixel_size,
        seed=seed,
        progress=progress,
    )
