"""Models that differ from each other, and the split that each belongs to."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.random_field import seeded
from difftem.scene.nanoparticle.nanoparticle import Nanoparticle, draw_nanoparticle
from difftem.scene.nanoparticle.recipe import NanoparticleRecipe

SPLITS = ("train", "validation", "test")
SPLIT_SHARES = (0.8, 0.1, 0.1)
MAX_SIMILARITY = 0.98
_BLUR = 0.7  # Å: two columns 1.4 Å apart, half a column distance, are like by exp(-1)
_HALF, _STEP = 20.0, 0.7  # Å: of the square about the particle, and between its points
_PART = 9  # of a model's random numbers
_TRIES = 20  # seeds for one model


class DistinctModel(NamedTuple):
    """A model that is like none before it."""

    seed: int
    model: Nanoparticle
    split: str
    similarity: float  # to the one before it that is most like it


def fingerprint(model: Nanoparticle) -> Tensor:
    r"""Blurred projection of a particle about its middle, as a vector of length 1.

    .. math:: f(r) \propto \sum_i n_i \exp(-|r - r_i + \bar r|^2 / 2 s^2)

    over its columns of :math:`n_i` atoms, with :math:`\bar r` the mean of its atoms and s = 0.7 Å.
    The oxide, the tilt and the place in the field do not count.

    Parameters
    ----------
    model : Nanoparticle
        Untilted.

    Returns
    -------
    Tensor
        Shape ``(n,)``; the scalar product of two is their similarity, 0 to 1.
    """
    columns = model.columns
    metal = columns.atomic_numbers == 78
    counts, places = columns.counts[metal].double(), columns.positions[metal]
    places = places - (counts[:, None] * places).sum(0) / counts.sum()
    axis = torch.arange(-_HALF, _HALF + _STEP, _STEP, dtype=torch.float64)
    x, y = (
        torch.exp(-((axis[:, None] - places[:, i]) ** 2) / (2 * _BLUR**2)).float() for i in (0, 1)
    )
    image = ((y * counts.float()) @ x.mT).flatten()
    return image / image.norm()


def similarity(first: Nanoparticle, second: Nanoparticle) -> float:
    """How alike two particles are: 1 for the same columns, 0 for columns that never meet."""
    return float(fingerprint(first) @ fingerprint(second))


def split_of(seed: int, shares: Sequence[float] = SPLIT_SHARES) -> str:
    """Split that a model belongs to, whatever set it is in: drawn by its seed.

    Parameters
    ----------
    seed : int
        Of the model.
    shares : sequence of float
        Of train, validation and test.

    Returns
    -------
    str
        One of `SPLITS`.

    Raises
    ------
    ValueError
        If the shares are not three numbers, 0 or more, that sum to 1.
    """
    if len(shares) != len(SPLITS) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(
            f"shares of {', '.join(SPLITS)} must be 0 or more and sum to 1, got {list(shares)}"
        )
    mark = float(torch.rand((), generator=seeded(seed, _PART), dtype=torch.float64))
    for name, share in zip(SPLITS, shares, strict=True):
        mark -= share
        if mark < 0:
            return name
    return SPLITS[max(i for i, share in enumerate(shares) if share > 0)]


def distinct_nanoparticles(
    recipe: NanoparticleRecipe,
    n_models: int,
    seed: int = 0,
    most_alike: float = MAX_SIMILARITY,
    shares: Sequence[float] = SPLIT_SHARES,
) -> Iterator[DistinctModel]:
    """Draw models by rising seeds, leaving out those that are like one before them.

    A longer series begins with the shorter one.

    Parameters
    ----------
    recipe : NanoparticleRecipe
        Ranges.
    n_models : int
        How many.
    seed : int
        The first one.
    most_alike : float
        Similarity above which a model is left out.
    shares : sequence of float
        Of train, validation and test.

    Yields
    ------
    DistinctModel
        Seed, model, split, similarity.

    Raises
    ------
    ValueError
        If the recipe does not hold that many: twenty seeds for each have been tried.
    """
    kept: list[Tensor] = []
    for each in range(seed, seed + _TRIES * n_models):
        if len(kept) == n_models:
            return
        model = draw_nanoparticle(recipe, each)
        mark = fingerprint(model)
        nearest = float((torch.stack(kept) @ mark).max()) if kept else 0.0
        if nearest > most_alike:
            continue
        kept.append(mark)
        yield DistinctModel(each, model, split_of(each, shares), nearest)
    if len(kept) < n_models:
        raise ValueError(
            f"n_models must be at most {len(kept)} for this recipe, got {n_models}: of "
            f"{_TRIES * n_models} models, no more are less alike than {most_alike:g}"
        )
