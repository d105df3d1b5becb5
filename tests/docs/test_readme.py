import re
import sys
from pathlib import Path

import pytest
import torch

from difftem.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guides" / "machine_learning.md").read_text(encoding="utf-8")
BLOCKS = [
    re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    for page in (README, GUIDE)
]


def run(block, tmp_path, monkeypatch):
    """Run a block as printed in an empty folder, and return its names."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    exec(compile(block, "README.md", "exec"), names)
    return names


def test_the_readme_has_the_verbs_and_the_guide_the_modules():
    assert [len(each) for each in BLOCKS] == [1, 2]
    assert len(BLOCKS[0][0].split("\n\n", 1)[1].splitlines()) < 5


def test_the_readme_is_read_in_two_minutes():
    assert len(README.splitlines()) < 120


def test_the_verbs_run_as_printed(tmp_path, monkeypatch):
    result = run(BLOCKS[0][0], tmp_path, monkeypatch)["result"]
    assert result.config.microscope.defocus_um == 2.0
    assert [each.name for each in tmp_path.iterdir()] == ["first"]
    assert (tmp_path / "first" / "micrograph.mrc").is_file()


def test_the_modules_run_as_printed_and_have_gradients(tmp_path, monkeypatch):
    names = run(BLOCKS[1][0], tmp_path, monkeypatch)
    simulator, exposure = names["simulator"], names["exposure"]
    assert exposure.micrograph.shape == (128, 128)
    for gradient in (simulator.lens.defocus_um.grad, simulator.specimen.positions.grad):
        assert torch.isfinite(gradient).all()
        assert (gradient != 0).any()


def test_the_task_of_ones_own_is_found_in_the_current_folder_and_learns(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "my_task.py").write_text(BLOCKS[1][1], "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_task", raising=False)
    task = run(BLOCKS[1][1], tmp_path, monkeypatch)["MyTask"](kernel=3)
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--model.help", "my_task.MyTask"])
    assert "--model.kernel" in capsys.readouterr().out
    optimizer, losses = task.configure_optimizers(), []
    batch = {name: torch.ones(2, 1, 8, 8) for name in ("noisy", "target")}
    for _ in range(5):
        losses.append(task.training_step(batch, 0))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):#]+)[^):]*\)", README))))
def test_what_the_readme_links_to_is_there(link):
    assert (ROOT / link).exists()
