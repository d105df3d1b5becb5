import re

from experiments.denoise_speed import run


def test_a_small_image_is_timed_within_its_predicted_memory(capsys):
    assert run.main(["--smoke", "--side", "256", "--methods", "wiener"]) == 0
    (row,) = re.findall(r"\| wiener +\| 256² +\|(.*)\|", capsys.readouterr().out)
    seconds, cpu, predicted, peak = (float(cell) for cell in row.split("|"))
    assert seconds > 0
    assert cpu > 0
    assert 0.2 < peak < predicted
