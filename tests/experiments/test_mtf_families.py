import numpy as np
import pytest

from difftem.io.star import write_mtf_star
from experiments.mtf_families.run import camera, closest, table


@pytest.fixture
def star(tmp_path):
    frequency = np.linspace(0, 0.5, 51)
    write_mtf_star(tmp_path / "a.star", frequency, 1 / (1 + 8 * frequency**2))
    return tmp_path / "a.star"


def test_a_family_that_holds_the_curve_comes_close_and_another_does_not(star):
    assert closest(star, "lorentzian") < 2e-3  # the table is piecewise linear
    assert closest(star, "log_spline_5") > closest(star, "log_spline_12")


def test_table_counts_how_often_a_family_was_chosen(star, monkeypatch):
    names = ("lorentzian", "log_spline_5")
    monkeypatch.setattr("experiments.mtf_families.run.usual_families", lambda _: names)
    seeds = [camera(star, {"crops": 3, "size": 64, "dose": 10.0}, seed) for seed in (0, 1)]
    assert min(seed["aic"] for seed in seeds[0].values()) == 0
    text = table({"A": {"closest": dict.fromkeys(names, 0.001), "seeds": seeds}})
    chosen = [int(row.split("|")[6].split("of")[0]) for row in text.splitlines()[4:]]
    assert sum(chosen) == 2
