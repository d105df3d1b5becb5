"""Models that differ from each other."""

from collections.abc import Callable

import torch
from torch import Tensor

from difftem.scene.nanoparticle.nanoparticle import Nanoparticle, draw_nanoparticle
from difftem.scene.nanoparticle.recipe import NanoparticleRecipe

MAX_SIMILARITY = 0.98
_BLUR = 0.7  # Å: two columns 1.4 Å apart, half a column distance, are like by exp(-1)
_HALF, _STEP = 20.0, 0.7  # Å: of the square about the particle, and between its points
_TRIES = 20  # seeds for one model


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


class DistinctNanoparticles:
    """A series of models in which none is like one before it.

    Parameters
    ----------
    recipe : NanoparticleRecipe
        Ranges.
    seed_of : callable
        Seed of a model by its number in the series and by how many were too alike in its place.
    most_alike : float
        Similarity above which another one is drawn.
    """

    def __init__(
        self,
        recipe: NanoparticleRecipe,
        seed_of: Callable[[int, int], int],
        most_alike: float = MAX_SIMILARITY,
    ) -> None:
        self.recipe, self.seed_of, self.most_alike = recipe, seed_of, most_alike
        self._seeds: list[int] = []
        self._prints: list[Tensor] = []

    def seed(self, number: int) -> int:
        """Seed of a model; those before it are drawn for it, once.

        Parameters
        ----------
        number : int
            From 0.

        Returns
        -------
        int
            For `draw_nanoparticle`.

        Raises
        ------
        ValueError
            If twenty seeds in its place gave models like those before it.
        """
        while len(self._seeds) <= number:
            self._add()
        return self._seeds[number]

    def _add(self) -> None:
        """Find the next model."""
        number = len(self._seeds)
        for attempt in range(_TRIES):
            seed = self.seed_of(number, attempt)
            mark = fingerprint(draw_nanoparticle(self.recipe, seed))
            alike = float((torch.stack(self._prints) @ mark).max()) if number else 0.0
            if alike <= self.most_alike:
                self._seeds.append(seed)
                self._prints.append(mark)
                return
        raise ValueError(
            f"this recipe of particles has room for {number} models, and not for one more: of "
            f"{_TRIES} none was less alike to one of them than {self.most_alike:g}"
        )
