"""The pages that published comparisons are written into."""

import pytest

from experiments._base.results import BEGIN
from experiments.comparison import DOCS, EXPERIMENTS


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_page_of_denoisers_has_a_place_for_every_comparison(name):
    assert DOCS.read_text("utf-8").count(BEGIN.format(name)) == 1
