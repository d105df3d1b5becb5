from experiments.memory import run
from experiments.memory.cases import CASES, MemoryCase
from experiments.memory.measure import Memory


def test_small_runs_take_what_they_predict(capsys):
    assert run.main(["--smoke"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "| yes" in line]
    assert len(rows) == 2


def test_a_prediction_that_is_too_low_or_too_high_fails(monkeypatch, capsys):
    written = []
    monkeypatch.setattr(run, "write_readme", lambda folder, script, text: written.append(text))
    for peak, status in ((1.01e9, 1), (0.59e9, 1), (0.61e9, 0)):
        monkeypatch.setattr(run, "measure", lambda case, peak=peak: Memory(1e9, peak))
        assert run.main([]) == status
    assert f"{CASES[0].name}" in capsys.readouterr().out
    assert len(written) == 3
    assert CASES[0].name in written[0]


def test_ten_runs_cover_all_commands():
    words = [each.name.split(",")[0] for each in CASES]
    assert len(CASES) == 10
    assert {"simulate", "generate", "TEM-simulator"} == set(words)
    assert all(isinstance(each, MemoryCase) for each in CASES)
