import contextlib
import importlib.util
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.side_by_side import agreement, probe, run
from experiments.side_by_side.counting import code_lines, count, names, settings
from experiments.side_by_side.inputs import write_inputs

SCRIPTS = sorted(run.FOLDER.glob("[a-z]*_*.py"))
DOC = Path(__file__).parents[2] / "docs" / "comparison" / "side_by_side.md"

EXAMPLE = '''"""Docstring
of two lines."""

import package.part as p
from other import thing

# a comment


def own(x):
    """Say nothing."""
    return p.inner.call(x, size=3)  # counted


value = own(
    thing(size=2, depth=1).array
)
print(value)
'''


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder, flat_size=256)
    return folder


def run_here(program, task, folder):
    """Do in this process what `run.run_script` does in one of its own."""
    with contextlib.chdir(folder):
        made = runpy.run_path(str(run.script(program, task)))
    wanted = {name: probe.plain(made[name]) for name in run.TASKS[task].results}
    if program == "abtem":  # x first
        return {name: np.swapaxes(array, -1, -2) for name, array in wanted.items()}
    return wanted


@pytest.fixture(scope="module")
def ours(inputs):
    return {task: run_here("difftem", task, inputs) for task in ("micrograph", "focus", "gradient")}


def of(program, task, inputs):
    if importlib.util.find_spec(program) is None:
        pytest.skip(f"{program} is not in this environment, which tests alone use")
    return run_here(program, task, inputs)


def test_lines_names_and_settings_are_counted():
    assert code_lines(EXAMPLE) == {4, 5, 10, 12, 15, 16, 17, 18}
    assert names(EXAMPLE) == {"package.part", "thing", "inner", "call", "array"}
    assert settings(EXAMPLE) == {"size", "depth"}
    assert count(EXAMPLE) == (8, 5, 2)


def test_scripts_are_short_and_belong_to_a_program_and_a_task():
    for path in SCRIPTS:
        program, _, task = path.stem.partition("_")
        assert program in run.PROGRAMS
        assert task in run.TASKS
        assert len(code_lines(path.read_text("utf-8"))) < 40
    assert all(run.script("difftem", task).is_file() for task in run.TASKS)


def test_correlation_finds_a_shift_of_an_eighth_of_a_pixel(generator):
    noise = torch.randn(32, 32, generator=generator, dtype=torch.float64)
    q = torch.fft.fftfreq(32, dtype=torch.float64)
    low = (q.abs() < 0.3)[:, None] & (q.abs() < 0.3)
    spectrum = torch.fft.fft2(noise) * low
    moved = spectrum * torch.exp(-2j * torch.pi * (3.125 * q[:, None] - 1.5 * q))
    first, second = (torch.fft.ifft2(each).real.numpy() for each in (spectrum, moved))
    assert agreement.correlation(first, second) == pytest.approx(1, abs=1e-6)
    assert agreement.correlation(first, -second) < 0.5


def test_difftem_gives_images_and_a_gradient(ours):
    assert ours["micrograph"]["micrograph"].mean() == pytest.approx(30, rel=0.01)
    assert ours["focus"]["series"].shape == (5, 128, 128)
    assert np.abs(ours["gradient"]["gradient"][:, :2]).min() > 0


def test_a_process_of_its_own_gives_the_same(ours, inputs):
    made = run.run_script(sys.executable, "difftem", "focus", inputs)
    np.testing.assert_allclose(made["series"], ours["focus"]["series"], rtol=1e-5)


def test_difftem_fits_the_mtf(inputs):
    made = {"difftem": run_here("difftem", "mtf", inputs)}
    assert run.compare(made, "mtf")["largest error"] < 0.1


@pytest.mark.parametrize("task", ["micrograph", "focus"])
@pytest.mark.parametrize("program", ["abtem", "cryojax"])
def test_images_agree_with_those_of_other_programs(program, task, ours, inputs):
    made = {"difftem": ours[task], program: of(program, task, inputs)}
    assert run.compare(made, task)[program] > 0.95


def test_the_gradient_agrees_with_that_of_cryojax(ours, inputs):
    made = {"difftem": ours["gradient"], "cryojax": of("cryojax", "gradient", inputs)}
    assert run.compare(made, "gradient")["cryojax"] > 0.9


def test_published_counts_are_those_of_the_scripts():
    results = json.loads((run.FOLDER / "results" / "table.json").read_text("utf-8"))
    for task, result in results["tasks"].items():
        for program in run.PROGRAMS:
            path = run.script(program, task)
            expected = count(path.read_text("utf-8"))._asdict() if path.is_file() else None
            assert result["counts"].get(program) == expected
    table = run.render(results)
    assert table in (run.FOLDER / "README.md").read_text("utf-8")
    assert table in DOC.read_text("utf-8")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_page_shows_the_scripts_as_they_are(path):
    code = path.read_text("utf-8").partition('"""\n\n')[2]
    assert f"```python\n{code}```" in DOC.read_text("utf-8")
