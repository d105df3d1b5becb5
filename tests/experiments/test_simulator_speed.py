import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from experiments._base.results import BEGIN, END
from experiments.simulator_speed import before_after, report, run
from experiments.simulator_speed.cases import CASES, SMOKE_CASES
from experiments.simulator_speed.difftem_stages import LEARNED, DifftemStages
from experiments.simulator_speed.gate import GateError, check, prepare
from experiments.simulator_speed.measure import Sample, interleave, ratio, summarise

ROOT = Path(__file__).parents[2]
SHARED_STAGES = {"potential", "multislice", "lens", "chain"}
needs_ase = pytest.mark.skipif(find_spec("ase") is None, reason="platinum is built by ASE")
needs_abtem = pytest.mark.skipif(find_spec("abtem") is None, reason="needs difftem[peers]")


class TooStrong(DifftemStages):
    def potential(self):
        return 1.02 * super().potential()


class Shifted(DifftemStages):
    def potential(self):
        return super().potential().roll(1, dims=-1)


class Amplifying(DifftemStages):
    def multislice(self):
        return 1.1 * super().multislice()


@pytest.fixture
def run_smoke(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "WARM_UP", 0)
    monkeypatch.setattr(run, "PILOT_REPEATS", 1)

    def smoke(*options):
        output = tmp_path / "cpu.json"
        assert run.main(["--smoke", "--repeats", "2", "--output", str(output), *options]) == 0
        return json.loads(output.read_text(), parse_constant=pytest.fail)  # NaN is not JSON

    return smoke


@needs_abtem
@pytest.mark.slow
def test_the_command_measures_both_programs_and_the_report_shows_them(run_smoke, tmp_path):
    result = run_smoke("--cases", "platinum")
    assert result["settings"] == {"repeats": 2, "warm_up": 0, "smoke": True}
    assert {"date", "commit", "versions", "cpu", "cpu_count", "torch_threads"} <= set(
        result["metadata"]
    )
    case = result["cases"]["platinum"]
    assert case["gate"].keys() == {
        "reference_rms",
        "exit_intensity",
        "potential_total_error",
        "exit_intensity_error",
        "exit_wave_rms",
        "image_rms",
    }
    assert case["stages"].keys() == SHARED_STAGES | {"micrograph", "gradient"}
    for stage in SHARED_STAGES:
        entry = case["stages"][stage]
        assert entry["ratio"].keys() == {"wall", "cpu"}
        for program in ("difftem", "abtem"):
            assert len(entry[program]["wall_s"]["samples"]) == 2
            assert entry[program]["cpu_s"]["median"] > 0
    for program in ("difftem", "abtem"):
        measured = case["stages"]["chain"][program]
        assert 50 < measured["baseline_mb"] < measured["peak_mb"]
    assert case["gradient_over"].keys() == {"micrograph", "chain"}

    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN.format('report.py')}\nold\n{END}\nafter\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "cpu.json").rename(tmp_path / "results" / "cpu.json")
    report.main(tmp_path)
    report.main(tmp_path)  # it replaces, it does not append
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    wall = case["stages"]["chain"]["ratio"]["wall"]
    assert text.count("| chain |") == 1 and f"{wall:.2f}" in text


def test_the_peer_can_be_left_out(run_smoke, monkeypatch):
    processes = []
    monkeypatch.setattr(run.peak_memory, "measure", lambda *of: processes.append(of[:3]) or {})
    result = run_smoke("--cases", "protein_at_rest", "--peers", "none")
    assert processes == [("difftem", "protein_at_rest", "chain")]
    stages = result["cases"]["protein_at_rest"]["stages"]
    assert stages.keys() == SHARED_STAGES
    assert all("abtem" not in entry and "ratio" not in entry for entry in stages.values())
    assert "| chain |" in report.render(result)


@needs_ase
@pytest.mark.parametrize("broken", [TooStrong, Shifted, Amplifying])
def test_the_gate_refuses_broken_stages(broken):
    case = SMOKE_CASES["platinum"]
    inputs = prepare(case)
    assert check(DifftemStages(case, inputs), None)["reference_rms"] < 1e-4
    with pytest.raises(GateError):
        check(broken(case, inputs), None)


@needs_ase
def test_a_broken_potential_is_not_timed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(run, "DifftemStages", TooStrong)
    monkeypatch.setattr(run, "interleave", lambda *_: pytest.fail("timed a broken potential"))
    output = tmp_path / "cpu.json"
    options = ["--smoke", "--cases", "platinum", "--peers", "none", "--output", str(output)]
    assert run.main(options) == 1
    assert "refusing to time" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("name", ["protein", pytest.param("platinum", marks=needs_ase)])
def test_the_gradient_reaches_what_the_readme_names(name):
    case = SMOKE_CASES[name]
    gradients = DifftemStages(case, prepare(case)).gradient()
    assert len(gradients) == sum(map(len, LEARNED.values()))
    assert all(gradient.abs().sum() > 0 for gradient in gradients.values())
    (positions,) = (value for key, value in gradients.items() if key.endswith("positions"))
    assert (positions.abs().sum(0) > 0).all()  # x, y and z


def test_the_protein_has_the_size_that_the_table_states():
    atoms = CASES["protein"].atoms()
    assert len(atoms) == 12_800
    assert len(atoms.b_factors.unique()) > 100
    assert (atoms.positions == CASES["protein_at_rest"].atoms().positions).all()


def test_calls_take_turns_after_the_warm_up():
    log = []
    calls = {"a": lambda: log.append("a"), "b": lambda: log.append("b")}
    samples = interleave(calls, repeats=2, warm_up=1)
    assert log == ["a", "b"] * 3
    assert {name: len(each) for name, each in samples.items()} == {"a": 2, "b": 2}


def test_a_ratio_is_of_medians():
    slow = summarise([Sample(4.0, 8.0), Sample(2.0, 6.0), Sample(100.0, 7.0)])
    fast = summarise([Sample(1.0, 2.0)] * 3)
    assert slow["wall_s"]["median"] == 4.0
    assert slow["wall_s"]["iqr"] == 49.0  # quartiles 3 and 52
    assert ratio(slow, fast) == {"wall": 4.0, "cpu": 3.5}


def test_smoke_results_do_not_overwrite_published_ones():
    with pytest.raises(SystemExit):
        run.main(["--smoke"])


def compare(output, *stages, repeats=1):
    options = ["--smoke", "--repeats", str(repeats), "--cases", "protein"]
    command = [str(ROOT), *options, "--stages", *stages]
    assert before_after.main([*command, "--output", str(output)]) == 0
    found = json.loads(output.read_text())["cases"]["protein"]
    assert found.keys() == set(stages)
    for entry in found.values():
        low, middle, high = entry["ratio"]
        assert 0 < low <= middle <= high
        assert len(entry["before"]["wall_s"]["samples"]) == repeats * before_after.PROCESSES


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / "difftem").is_dir(), reason="the package is installed: its source is not beside"
)
def test_a_checkout_is_timed_beside_another_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(before_after, "PROCESSES", 1)
    monkeypatch.setattr(before_after, "WARM_UP", 0)
    compare(tmp_path / "pairs.json", "gradient", repeats=2)
    assert "| protein | gradient" in capsys.readouterr().out


class Instant(before_after.Worker):
    """Answers like a process, without one."""

    def __init__(self, checkout, case, folder, *, smoke):
        self.checkout = checkout

    def __exit__(self, *error):
        pass

    def _ask(self, what):
        package = {"package": str(self.checkout / "difftem" / "__init__.py")}
        return package if what == "package" else {"wall": 2.0, "cpu": 3.0}


def test_checkouts_are_compared_stage_by_stage(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(before_after, "Worker", Instant)
    compare(tmp_path / "pairs.json", "potential", "gradient")
    table = capsys.readouterr().out
    assert "| protein | potential" in table and "| protein | gradient" in table


def test_what_is_no_checkout_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        before_after.main([str(tmp_path)])
    assert "is no checkout of difftem with this experiment" in capsys.readouterr().err
