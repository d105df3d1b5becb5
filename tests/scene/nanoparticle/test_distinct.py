import re
from collections import Counter
from itertools import combinations

import pytest
import torch

from difftem.scene.nanoparticle.distinct import (
    distinct_nanoparticles,
    fingerprint,
    similarity,
    split_of,
)
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
    drawn = list(distinct_nanoparticles(SMALL, 8, most_alike=0.8))
    marks = [fingerprint(each.model) for each in drawn]
    assert max(float(a @ b) for a, b in combinations(marks, 2)) <= 0.8
    assert drawn[-1].seed > 8  # some were left out
    shorter = distinct_nanoparticles(SMALL, 4, most_alike=0.8)
    assert [each.seed for each in shorter] == [each.seed for each in drawn[:4]]


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
    with pytest.raises(ValueError, match=r"n_models must be at most 1 for this recipe, got 2"):
        list(distinct_nanoparticles(recipe, 2, most_alike=0.1))


def test_splits_have_their_shares_and_do_not_depend_on_the_set():
    counts = Counter(split_of(seed) for seed in range(3000))
    assert counts["train"] == pytest.approx(2400, abs=5 * 480**0.5)
    assert counts["test"] == pytest.approx(300, abs=5 * 270**0.5)
    assert {split_of(seed, (0.0, 0.0, 1.0)) for seed in range(50)} == {"test"}
    with pytest.raises(ValueError, match=re.escape("must be 0 or more and sum to 1, got [0.5")):
        split_of(1, (0.5, 0.2, 0.1))
