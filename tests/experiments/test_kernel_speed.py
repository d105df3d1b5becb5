import json

import pytest
import torch

from experiments._base.results import BEGIN, END
from experiments.kernel_speed import cases, measure, report, run

OPS = [
    "transmit",
    "propagate",
    "project_potential",
    "extract_slices",
    "add_patches",
    "multislice",
    "chain",
]


def smoke(output, *options):
    arguments = ["--device", "cpu", "--smoke", "--repeats", "1", "--output", str(output)]
    return run.main([*arguments, *options])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(measure, "COPIED_BYTES", {"cpu": 4_000_000, "cuda": 4_000_000})
    monkeypatch.setitem(cases.CHECKED, "project_potential", cases.Size(24, 2, 20))


def test_the_command_times_pytorch_on_a_cpu_and_says_that_triton_needs_a_gpu(tmp_path, capsys):
    output = tmp_path / "cpu.json"
    assert smoke(output) == 0
    assert "Triton needs a GPU" in capsys.readouterr().err
    result = json.loads(output.read_text(), parse_constant=pytest.fail)
    assert [entry["op"] for entry in result["times"]] == OPS
    assert {entry["by"] for entry in result["times"]} == {"torch"}
    assert {f"torch {op}" for op in OPS} == result["errors"].keys()
    # float32 against float64: not exactly equal, and near.
    assert all(0 < error < 1e-4 for error in result["errors"].values())
    for entry in result["times"]:
        assert min(entry["forward"]["median"], entry["both"]["median"]) > 0
        assert 0 < entry["floor_bytes"]["forward"] < entry["floor_bytes"]["both"]
    assert result["bandwidth"] > 1e8
    table = report.render(result)
    assert table.count("\n| ") == 9
    assert "| transmit | 65² | torch |" in table


def test_floor_of_multislice_is_that_of_its_parts():
    size, where = cases.Size(64, 5), (torch.device("cpu"), torch.float32, 0)
    forward, _ = cases.multislice(size, *where).floor
    parts = [case(cases.Size(64), *where).floor[0] for case in (cases.transmit, cases.propagate)]
    assert forward == 5 * sum(parts) == 5 * 64**2 * (8 + 4 + 8 + 2 * 32 + 24)


@pytest.mark.parametrize("wrong", ["output", "gradient", "nan"])
def test_an_op_that_is_wrong_is_named_and_not_timed(tmp_path, capsys, monkeypatch, wrong):
    def broken(size, device, dtype, seed):
        work = cases.transmit(size, device, dtype, seed)

        def spoiled():
            out = work.run()
            if dtype == torch.float64:
                return out
            if wrong == "gradient":
                return out + 1e-3 * (out - out.detach())
            return out * (1.001 if wrong == "output" else float("nan"))

        return work._replace(run=spoiled)

    monkeypatch.setitem(cases.CASES, "transmit", broken)
    output = tmp_path / "cpu.json"
    assert smoke(output, "--ops", "transmit", "propagate") == 1
    assert "torch transmit on cpu is wrong, so it is not timed" in capsys.readouterr().err
    assert [entry["op"] for entry in json.loads(output.read_text())["times"]] == ["propagate"]


def test_an_op_that_fails_leaves_the_results_of_the_others(tmp_path, capsys, monkeypatch):
    def broken(*arguments):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(run, "time_case", broken)
    output = tmp_path / "cpu.json"
    assert smoke(output, "--ops", "transmit", "propagate") == 1
    assert "torch transmit: no room" in capsys.readouterr().err
    assert json.loads(output.read_text())["errors"].keys() == {"torch transmit", "torch propagate"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--smoke"], "--smoke needs --output"),
        (["--ops", "lens"], "invalid choice: 'lens'"),
        (["--table1", "nowhere"], "no folder nowhere"),
        (["--repeats", "0"], "invalid _positive value"),
    ],
)
def test_wrong_options_end_with_one_line(capsys, options, message):
    with pytest.raises(SystemExit) as caught:
        run.main(["--device", "cpu", *options])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_table_1_runs_on_the_same_device_with_the_given_structures(tmp_path, monkeypatch):
    seen = []

    def called(command, **options):
        seen.append(command)
        return type("Done", (), {"returncode": 3, "stdout": ""})

    monkeypatch.setattr(run.subprocess, "run", called)
    output = tmp_path / "cpu.json"
    assert smoke(output, "--ops", "transmit", "--table1", str(tmp_path)) == 1
    (command,) = (c for c in seen if "experiments.table1_scale.run" in c)
    for name, value in (
        ("--device", "cpu"),
        ("--structures", str(tmp_path)),
        ("--output", str(tmp_path / "cpu_table1.json")),
    ):
        assert command[command.index(name) + 1] == value


def test_report_replaces_what_stands_between_its_comments(tmp_path):
    readme = tmp_path / "README.md"
    begin = BEGIN.format("report.py")
    readme.write_text(f"a\n{begin}\nold\n{END}\nb\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "gpu_table1.json").write_text("{}")
    report.main(tmp_path)
    assert readme.read_text() == f"a\n{begin}\n\nNone yet.\n\n{END}\nb\n"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match=r"README\.md: no .* with .* behind it"):
        report.main(tmp_path)
