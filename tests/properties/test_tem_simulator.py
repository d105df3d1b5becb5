"""Input files of TEM-simulator that are almost right."""

import pytest

from difftem.cli.main import main
from tests.helpers.tem_simulator import INPUT
from tests.properties.mutations import for_each, text_of


@pytest.mark.filterwarnings("ignore")
def test_a_mutated_input_runs_or_is_one_line(attempt, times, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = INPUT.replace("det_pix_x = 64", "det_pix_x = 24").replace(
        "det_pix_y = 48", "det_pix_y = 20"
    )

    def run(path):
        return main(["simulate", str(path), "--output", "out"])

    assert attempt("input.txt", text.encode(), run) == 0
    for_each(text_of(text), 25 * times, lambda content: attempt("input.txt", content, run))
