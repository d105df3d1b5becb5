import pytest

from difftem.cli.commands import COMMANDS
from difftem.cli.main import main
from difftem.workflows.explain.topics import TASKS, TOPICS


def test_without_a_topic_all_are_listed_by_task(capsys):
    assert main(["docs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:-1] for line in lines if line.endswith(":")] == [*TASKS]
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [*TOPICS]
    assert max(map(len, lines)) <= 100


def test_a_topic_of_two_words_is_printed(capsys):
    assert main(["docs", "tilt", "axis"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("## Which way is up") and "--tilt-axis" in text and "](" not in text


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"docs", "completion", "test"}))
def test_a_command_is_a_topic(command, capsys):
    assert main(["docs", command]) == 0
    assert f"difftem {command}" in capsys.readouterr().out


def test_an_unknown_topic_is_one_line(capsys):
    assert main(["docs", "sampeling"]) == 2
    error = capsys.readouterr().err
    assert error == (
        "difftem: error: no topic 'sampeling'; did you mean sampling?; difftem docs lists all\n"
    )


@pytest.mark.parametrize(
    ("options", "topic"),
    [
        (["simulate", "--sampling.pixel_size", "300"], "units"),
        (["simulate", "--microscope.defocus_um", "15000"], "units"),
        (["simulate", "--microscope.voltage_kv", "3e5"], "units"),
        (["simulate", "--detector.preset", "k9"], "detector"),
        (["denoise", "a.mrc", "--gain", "1", "--dose", "2"], "gain"),
        (["denoise", "a.mrc", "--method", "magic"], "methods"),
    ],
)
def test_an_error_about_a_concept_ends_with_the_topic_that_explains_it(
    options, topic, tmp_path, capsys
):
    assert main([*options, "--output", str(tmp_path / "o.mrc")]) == 2
    error = capsys.readouterr().err.strip()
    assert error.endswith(f"; see difftem docs {topic}") and "\n" not in error
