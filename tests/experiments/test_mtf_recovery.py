import json

import numpy as np
import pytest

from experiments.mtf_recovery.collect import finished
from experiments.mtf_recovery.coverage import fit
from experiments.mtf_recovery.coverage import table as coverage_table
from experiments.mtf_recovery.drift import STEPS, drift_table
from experiments.mtf_recovery.images import image_difference
from experiments.mtf_recovery.report import error_table, group, ratio_table

FREQUENCY = np.linspace(0, 0.5, 101)


def write_run(folder, error, expected=0.01, parameters=()):
    """Leave what a run leaves: an error that is constant but at zero."""
    folder.mkdir(parents=True)
    names = ["fit/max_error", "fit/mean_error", "fit/coverage", "fit/p_value", "fit/seconds"]
    names += ["fit/expected_max_error", "fit/expected_mean_error"]
    columns = ["mtf/b", "mtf/c", "mtf/alpha", "mtf/beta"]
    last = [error, error / 2, 0.95, 0.5, 0.4, expected, expected / 2]
    lines = [",".join([*columns, *names])]
    lines += [",".join(map(str, [*row, *[""] * len(names)])) for row in parameters]
    lines.append(",".join(map(str, [*[""] * 4, *last])))
    (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
    truth = np.exp(-FREQUENCY)
    table = np.stack([FREQUENCY, truth + error * (FREQUENCY > 0), truth], 1)
    np.savetxt(
        folder / "mtf_curve.csv", table, delimiter=",", header="frequency,mtf,truth", comments=""
    )
    (folder / "done.json").write_text(json.dumps({"seconds": 1.0}))


@pytest.fixture
def study(tmp_path):
    for seed, error in enumerate((0.02, 0.04)):
        write_run(tmp_path / f"tmv/n5/whittle/seed{seed}", error)
        write_run(tmp_path / f"tmv/n5/mse/seed{seed}", 10 * error)
    return tmp_path


def test_tables_hold_means_over_seeds_and_ratios_to_the_bound(study):
    runs = group(study)
    table = error_table(runs, "tmv", "fit/max_error")
    assert "0.0300 ± 0.0141" in table
    assert "0.3000 ± 0.1414" in table
    rows = {r.split("|")[1].strip(): r.split("|")[2:4] for r in ratio_table(runs).splitlines()[2:]}
    assert [float(cell) for cell in rows["whittle"]] == pytest.approx([3.0, 3.0])
    assert [float(cell) for cell in rows["mse"]] == pytest.approx([30.0, 30.0])
    assert rows["psd"][0].strip() == ""


def test_image_difference_is_nothing_for_the_truth_and_grows_with_the_error(study):
    whittle = next(run for run in finished(study) if run.name[2] == "whittle")
    small = image_difference(whittle.curve, 20.0)
    curve = whittle.curve | {"mtf": whittle.curve["truth"]}
    assert image_difference(curve, 20.0) == pytest.approx((0, 0), abs=1e-12)
    # White noise of relative size 1/sqrt(20), times the error; the mean of |normal| is 0.8 sigma.
    expected = 0.02 * 100 * np.hypot(20**-0.5, 0.1) * 0.8
    assert small[0] == pytest.approx(expected, rel=0.05)
    assert small[1] > 3 * small[0]


def test_drift_starts_at_the_truth_and_shows_what_leaves_it(tmp_path):
    truth = (0.2, 0.1, 10.0, 40.0)
    away = [(0.2 + 0.01 * step, 0.1, 10.0, 40.0) for step in range(max(STEPS) + 1)]
    write_run(tmp_path / "tmv/n5/whittle/seed0", 0.0, parameters=[truth] * 3)
    write_run(tmp_path / "tmv/n5/ffl_mse/seed0", 0.0, parameters=away)
    rows = [[c.strip() for c in r.split("|")[1:-1]] for r in drift_table(tmp_path).splitlines()[2:]]
    assert [row[:2] for row in rows] == [["ffl_mse", "5"], ["whittle", "5"]]
    assert rows[1][2:] == ["", "", "", "", "0.0000"]
    leaving = [float(cell) for cell in rows[0][2:-1]]
    assert leaving == sorted(leaving)
    assert leaving[0] == 0 < leaving[-1]


def test_bands_of_a_few_fits_are_counted():
    fits = [fit(("tmv", known, False, 2, seed)) for known in (True, False) for seed in (0, 1)]
    assert all(0 <= each["coverage"] <= 1 and each["pull"] < 4 for each in fits)
    (row,) = coverage_table({"tmv, known, its own": fits}).splitlines()[2:]
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:4] == ["tmv", "known", "its own", "4"]
    assert float(cells[4].split("±")[0]) == pytest.approx(
        np.mean([each["coverage"] for each in fits]), abs=1e-3
    )
