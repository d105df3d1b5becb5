from itertools import combinations

import pytest
import torch

from difftem.scene.nanoparticle.distinct import DistinctNanoparticles, fingerprint, similarity
from difftem.scene.nanoparticle.nanoparticle import draw_nanoparticle
from difftem.scene.nanoparticle.recipe import NanoparticleRecipe

SMALL = NanoparticleRecipe(diameter=(10.0, 14.0))


def test_similarity_is_the_overlap_of_the_blurred_columns():
    first, second = (draw_nanoparticle(SMALL, seed) for seed in (1, 2))

    def overlap(a, b):
        """Of sums of Gaussians, in closed form."""
        (m, p), (n, q) = (
            (c.counts[metal].double(), c.positions[metal])
            for c, metal in ((c, c.atomic_numbers == 78) for c in (a.columns, b.columns))
        )
        p, q = p - (m[:, None] * p).sum(0) / m.sum(), q - (n[:, None] * q).sum(0) / n.sum()
        return float(m @ torch.exp(-((torch.cdist(p, q) / 1.4) ** 2)) @ n)

    expected = overlap(first, second) / (overlap(first, first) * overlap(second, second)) ** 0.5
    assert similarity(first, second) == pytest.approx(expected, abs=1e-3)
    assert similarity(first, first) == pytest.approx(1, abs=1e-6)


def test_oxide_does_not_make_two_models_of_one():
    plain, other = (
        draw_nanoparticle(NanoparticleRecipe(thickness=(each, each)), 3) for each in (30.0, 60.0)
    )
    assert len(plain.atoms) != len(other.atoms)
    # Only the disorder of .03 Å differs.
    assert similarity(plain, other) > 0.999


def test_models_that_are_alike_are_left_out():
    series = DistinctNanoparticles(SMALL, lambda number, attempt: number + 100 * attempt, 0.85)
    seeds = [series.seed(number) for number in range(8)]
    prints = [fingerprint(draw_nanoparticle(SMALL, seed)) for seed in seeds]
    assert max(float(a @ b) for a, b in combinations(prints, 2)) <= 0.85
    assert seeds != list(range(8))  # some were left out, and the others kept
    assert {seed % 100 for seed in seeds} == set(range(8))


def test_a_recipe_without_variety_is_refused():
    recipe = NanoparticleRecipe(
        shapes=("wulff",),
        diameter=(12.0, 12.0),
        buried=(0.3, 0.3),
        missing_corners=(0.0, 0.0),
        missing_columns=(0, 0),
        adatom_columns=(0, 0),
        step_share=0.0,
    )
    series = DistinctNanoparticles(recipe, lambda number, attempt: number + 100 * attempt, 0.1)
    with pytest.raises(ValueError, match="has room for 1 models, and not for one more"):
        series.seed(1)
