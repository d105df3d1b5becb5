import re

from experiments.denoise_speed import run


def not_installed():
    raise ValueError("Topaz is not installed")


def test_a_small_image_is_timed_within_its_predicted_memory(monkeypatch, capsys):
    monkeypatch.setattr(run, "find_topaz", not_installed)  # else it runs, with a training's imports
    assert run.main(["--smoke", "--side", "256", "--methods", "wiener"]) == 0
    printed = capsys.readouterr().out
    assert "Topaz: not installed." in printed
    (row,) = re.findall(r"\| wiener +\| 256² +\|(.*)\|", printed)
    seconds, cpu, predicted, peak = (float(cell) for cell in row.split("|"))
    assert seconds > 0
    assert cpu > 0
    assert 0.2 < peak < predicted
