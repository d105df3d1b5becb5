"""Rows of scores: one method is scored again, the others stay."""

import pytest

from experiments._base.rows import merged_rows

FACTS = ("dose", "seed")


def rows(methods, dose=100, error=1.0):
    return [
        {"method": method, "dose": dose, "seed": seed, "nmse": error}
        for method in methods
        for seed in (0, 1)
    ]


def test_a_method_that_is_scored_again_takes_its_place_and_a_new_one_comes_last():
    old, new = rows(["wiener", "sbd", "topaz"]), [*rows(["wiener"]), *rows(["sbd", "map"], 100, 2)]
    found = merged_rows(old, new, FACTS, "wiener", "nmse")
    assert [(row["method"], row["nmse"]) for row in found if row["seed"] == 1] == [
        ("wiener", 1), ("sbd", 2), ("topaz", 1), ("map", 2),
    ]  # fmt: skip
    assert len(found) == 8


def test_other_settings_are_added():
    found = merged_rows(rows(["wiener"]), rows(["wiener"], 200, 3.0), FACTS, "wiener", "nmse")
    assert [(row["dose"], row["seed"]) for row in found] == [(100, 0), (100, 1), (200, 0), (200, 1)]


def test_scores_of_other_images_or_other_columns_are_refused():
    with pytest.raises(ValueError, match=r"nmse of wiener was 1 and is 1\.01 at dose 100, seed 0"):
        merged_rows(rows(["wiener"]), rows(["wiener"], error=1.01), FACTS, "wiener", "nmse")
    wider = [row | {"psnr": 3} for row in rows(["wiener"])]
    with pytest.raises(ValueError, match="columns were method, dose, seed, nmse"):
        merged_rows(rows(["wiener"]), wider, FACTS, "wiener", "nmse")
