import json
from statistics import mean

import pytest
import yaml

from experiments.mtf_coverage.run import HERE, repeat, table

CASES = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))["cases"]


@pytest.mark.parametrize(
    "name",
    [
        "vacuum, level known",
        "ice, pairs of exposures, level known",
        "knife edge",
    ],
)
def test_bands_hold_the_truth_in_a_few_seeded_repetitions(name):
    found = [repeat(CASES[name], seed) for seed in range(3)]
    # Three times 101 correlated points: 0.95 ± 0.08.
    assert mean(each["coverage"] for each in found) > 0.8
    assert max(each["max_error"] for each in found) < 0.1


def test_the_table_says_which_coverage_is_as_it_should_be():
    fits = [{"coverage": 0.9, "max_error": 0.01}, {"coverage": 1.0, "max_error": 0.03}]
    text = table({"good": fits, "narrow": [fits[0] | {"coverage": 0.5}], "bound": fits}, ["bound"])
    lines = {line.split("|")[1].strip(): line for line in text.splitlines()[2:]}
    assert "0.950 ± 0.035" in lines["good"]
    assert lines["good"].rstrip(" |").endswith("yes")
    assert lines["narrow"].rstrip(" |").endswith("no")
    assert "yes (a bound" in lines["bound"]
    assert "no band" in lines["losses psd and ffl_pairwise"]


def test_the_published_table_is_as_it_should_be():
    results = json.loads((HERE / "results/table.json").read_text("utf-8"))
    assert set(results) == set(CASES)
    for name, fits in results.items():
        assert len(fits) >= 40
        middle = mean(each["coverage"] for each in fits)
        assert 0.9 <= middle <= (1.0 if CASES[name].get("bound") else 0.98)
