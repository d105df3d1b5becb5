import json
import math

import pytest
import yaml

from difftem.cli.scene.config import SceneConfig
from experiments.table1_scale import report
from experiments.table1_scale.measure import CASES, measure, scene_config

ALL = yaml.safe_load(CASES.read_text("utf-8"))["cases"]


def runs(seconds):
    return [
        {
            "template_s": 4.0,
            "micrograph_s": s,
            "writing_s": 1.0,
            "process_s": s + 6,
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
    assert "| zika 1 | 4.0 | 2.0 | 1.0 | 8.0 (8.0) | 0.5 | 2.0 |  |  |" in text
    assert (
        "| zika 1000 | 4.0 | 11.0 | 1.0 | 17.0 (16.0, 18.0, 17.0) | 90.9 | 2.0 | 2127 | 382 |"
        in text
    )


def test_the_report_replaces_what_stands_between_its_marks(tmp_path):
    readme, results = tmp_path / "README.md", tmp_path / "results"
    results.mkdir()
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", "utf-8")
    (results / "cpu2.json").write_text(json.dumps(result(zika_1=[2.0])), "utf-8")
    report.main(readme, results)
    text = readme.read_text("utf-8")
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "zika 1" in text and "old" not in text


def test_a_small_case_is_measured_from_files_to_files(tmp_path):
    case = {
        "particle": {"name": "apoferritin", "source": "apoferritin"},
        "ice": {"thickness_nm": 20},
        "sampling": {"size": [64, 64], "pixel_size": 8.0},
        "microscope": {"defocus_um": 1.0},
    }
    found = measure(scene_config(case, 2), tmp_path)
    assert found["template_s"] > 0 and found["micrograph_s"] > 0 and found["writing_s"] > 0
    assert found["n_slices"] == 1
