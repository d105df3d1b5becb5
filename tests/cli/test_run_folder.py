import pytest
from jsonargparse import Namespace

from difftem.cli.run_folder import given_root, move_loggers

LOGGER = "trainer: {logger: [{class_path: CSVLogger, init_args: {save_dir: runs}}]"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Configurations with loggers, with a folder, with both, and with a Trainer of its own file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logger.yaml").write_text(LOGGER + "}", "utf-8")
    (tmp_path / "root.yaml").write_text("trainer: {default_root_dir: mine}", "utf-8")
    (tmp_path / "both.yaml").write_text(LOGGER + ", default_root_dir: mine}", "utf-8")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/trainer.yaml").write_text("logger: true", "utf-8")
    (tmp_path / "linked.yaml").write_text("trainer: parts/trainer.yaml", "utf-8")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--config logger.yaml", None),
        ("--config logger.yaml --trainer.default_root_dir here", "here"),
        ("--trainer.default_root_dir=here --config=logger.yaml", "here"),
        ("-c logger.yaml -c root.yaml", "mine"),
        ("-c root.yaml -c logger.yaml", None),
        ("-c root.yaml -c linked.yaml", None),
        ("-c linked.yaml -c root.yaml", "mine"),
        ("-c both.yaml", None),
        ("-c root.yaml --trainer.logger.init_args.save_dir closer", None),
    ],
)
def test_the_later_word_wins_and_an_option_is_the_last(arguments, expected):
    assert given_root(["fit", *arguments.split()]) == expected


def test_loggers_move_to_the_folder_whatever_their_number():
    one, other = (Namespace(init_args=Namespace(save_dir=name, name="fit")) for name in "ab")
    move_loggers([one, other], "mine")
    move_loggers(True, "mine")
    assert [each.init_args.save_dir for each in (one, other)] == ["mine", "mine"]
    move_loggers(one, "again")
    assert one.init_args == Namespace(save_dir="again", name="fit")
