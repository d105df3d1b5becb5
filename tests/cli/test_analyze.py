import numpy as np
import pytest
import torch

from difftem.cli.main import main
from difftem.io.mrc import write_mrc
from tests.helpers.synthetic_columns import columns_image


@pytest.fixture
def frame(tmp_path):
    image = columns_image([(48, 35), (48, 60)], 96, height=0.9, level=3.0)
    counts = torch.poisson(image, generator=torch.Generator().manual_seed(0)).numpy()
    write_mrc(tmp_path / "frame.mrc", counts.astype(np.float32), 0.0623, ["counts"])
    return tmp_path / "frame.mrc"


def test_the_command_says_a_line_a_result_and_writes_a_folder(frame, tmp_path, capsys):
    words = [
        "--method",
        "wiener",
        "--null-frames",
        "19",
        "--columns",
        "all",
        "--gradient",
        "48",
        "40",
    ]
    folder = tmp_path / "out"
    assert main(["analyze", str(frame), *words, "--output", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    starts = ["columns: ", "likelihood: ", "ceiling: ", "SBD's ratio", "gradient x48_y40", "wrote "]
    assert [line.startswith(s) for line, s in zip(lines, starts, strict=True)] == [True] * 6
    names = {"columns.csv", "likelihood.png", "periodicity.png", "gradient_x48_y40.png"}
    assert {path.name for path in folder.iterdir()} == names | {"analysis.json"}


def test_what_is_wrong_is_one_line_and_nothing_is_written(frame, tmp_path, capsys):
    folder = tmp_path / "out"
    for words, message in (
        (["--level", "0"], "--level: must be a positive number, got '0'"),
        (["--null-frames", "3"], "null_frames must be at least 19 for a level of 0.05, got 3"),
        (["--truth", str(tmp_path / "no.csv")], "no.csv: no such file"),
    ):
        arguments = ["analyze", str(frame), "--method", "wiener", "--output", str(folder), *words]
        assert main(arguments) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert message in error
        assert not folder.exists()
