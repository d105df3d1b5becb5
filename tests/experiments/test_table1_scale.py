import json
import math
import subprocess

import pytest
import torch
import yaml

from difftem.simulation.scene_config import SceneConfig
from experiments._base.results import BEGIN, END
from experiments.table1_scale import report, run
from experiments.table1_scale.measure import (
    CASES,
    CheckError,
    device_named,
    measure,
    scene_config,
)
from tests.helpers.pretend_gpu import pretend_gpu

ALL = yaml.safe_load(CASES.read_text("utf-8"))["cases"]


def runs(seconds):
    return [
        {
            "template_s": 4.0,
            "micrograph_s": s,
            "writing_s": 1.0,
            "process_s": s + 6,
            "cpu_s": s + 9,
            "peak_memory_bytes": 2e9,
        }
        for s in seconds
    ]


def result(**times):
    about = {"cpu": "a", "cpu_count": 2, "date": "2026-01-01T", "commit": "c", "torch_threads": 2}
    return {
        "metadata": about | {"versions": {"torch": "2"}},
        "published": {"zika 1000": {"tem_simulator": 2127, "gpu_tem": 382}},
        "runs": {key.replace("_", " "): runs(values) for key, values in times.items()},
    }


@pytest.mark.parametrize("name", ALL)
def test_every_case_is_a_scene(name):
    for count in ALL[name]["counts"]:
        config = scene_config(ALL[name], count)
        assert isinstance(config, SceneConfig)
        assert config.particles[0].count == count


def test_slopes_are_those_of_the_medians():
    found = result(zika_1=[2.0, 2.0, 9.0], zika_100=[3.0], zika_1000=[12.0], zika_5000=[2 + 50.0])
    ((name, (plain, beyond)),) = report.growth(found).items()
    assert name == "zika"
    assert beyond == pytest.approx(1.0, abs=1e-9)
    assert plain == pytest.approx(math.log(52 / 3) / math.log(50), abs=0.05)


def test_the_table_has_a_row_for_each_number_with_the_published_times_beside():
    text = report.table(result(zika_1=[2.0], zika_1000=[10.0, 12.0, 11.0]))
    assert "| zika 1 | 4.0 | 2.0 | 1.0 | 8.0 (8.0) | 11.0 | 0.5 | 2.0 |  |  |" in text
    assert (
        "| zika 1000 | 4.0 | 11.0 | 1.0 | 17.0 (16.0, 18.0, 17.0) | 20.0 | 90.9 | 2.0 | 2127 "
        "| 382 |" in text
    )


def test_the_report_replaces_what_stands_between_its_marks(tmp_path):
    readme, results = tmp_path / "README.md", tmp_path / "results"
    results.mkdir()
    readme.write_text(f"before\n{BEGIN.format('report.py')}\nold\n{END}\nafter\n", "utf-8")
    (results / "cpu2.json").write_text(json.dumps(result(zika_1=[2.0])), "utf-8")
    report.main(tmp_path)
    text = readme.read_text("utf-8")
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "zika 1" in text and "old" not in text


def test_a_gpu_that_is_not_there_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    output = tmp_path / "result.json"
    given = ["--structures", str(tmp_path), "--output", str(output), "--device"]
    with pytest.raises(SystemExit) as stopped:
        run.main([*given, "cuda"])
    assert stopped.value.code == 2
    line = (
        "table1_scale: error: device cuda: PyTorch finds no CUDA device here; see difftem docs "
        "kernels\n"
    )
    assert capsys.readouterr().err == line
    assert not output.exists()
    assert device_named("cpu") == torch.device("cpu")


def test_the_device_reaches_every_process_and_the_result(tmp_path, monkeypatch):
    started = []
    once = runs([2.0])[0]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H 100")

    def process(command, **kwargs):
        started.append(command)
        return subprocess.CompletedProcess(command, 0, json.dumps(once), "")

    monkeypatch.setattr(run.subprocess, "run", process)
    monkeypatch.setattr(run, "metadata", lambda: dict(result()["metadata"]))
    output = tmp_path / "result.json"
    given = ["--structures", str(tmp_path), "--cases", "tmv", "--output", str(output)]
    run.main([*given, "--repeats", "2", "--device", "cuda"])
    assert [command[-2:] for command in started] == [["--device", "cuda"]] * 2
    assert ["--check" in command for command in started] == [True, False]
    made = json.loads(output.read_text())
    assert made["metadata"]["gpu"] == "H 100"
    assert "### H 100, 2 CPU cores" in report.table(made)


SMALL = {
    "particle": {"name": "apoferritin", "source": "apoferritin"},
    "ice": {"thickness_nm": 20},
    "sampling": {"size": [64, 64], "pixel_size": 8.0},
    "microscope": {"defocus_um": 1.0},
}


@pytest.mark.skipif(
    torch.cuda.is_available(), reason="kernels are interpreted only where there is no CUDA device"
)
def test_a_gpu_is_compared_with_the_cpu_and_not_timed_where_it_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 1)
    monkeypatch.setattr("experiments.table1_scale.measure.WARM_ON_GPU", 1)
    coarse = SMALL | {"sampling": {"size": [32, 32], "pixel_size": 16.0}}
    config, cuda = scene_config(coarse, 1), torch.device("cuda")
    with pretend_gpu() as traffic:
        found = measure(config, tmp_path, cuda, check=True)
        assert traffic["interpolate_fwd_kernel"] and traffic["add_patches_fwd_kernel"]
    assert 0 < found["error"] < 1e-3
    assert found["first_micrograph_s"] > 0
    monkeypatch.setattr("experiments.table1_scale.measure.TOLERANCE", 1e-9)
    with pretend_gpu(), pytest.raises(CheckError, match="cuda is wrong, so it is not timed"):
        measure(config, tmp_path, cuda, check=True)


def test_a_small_case_is_measured_from_files_to_files(tmp_path, device):
    found = measure(scene_config(SMALL, 2), tmp_path, torch.device(device))
    assert found["template_s"] > 0 and found["micrograph_s"] > 0 and found["writing_s"] > 0
    assert found["n_slices"] == 1
    if torch.device(device).type == "cuda":
        assert found["peak_gpu_memory_bytes"] > 1e5
    else:
        assert found["peak_gpu_memory_bytes"] is None
