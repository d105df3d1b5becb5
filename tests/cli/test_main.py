from difftem.cli.commands import COMMANDS
from difftem.cli.main import main


def test_help_lists_every_command_once_under_a_heading_and_the_exit_codes(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, (_, what) in COMMANDS.items():
        assert [line.split() for line in text.splitlines()].count([name, *what.split()]) == 1
    assert "Exit codes: 0 done; 1 an error of this program; 2 bad input" in text
    assert max(map(len, text.splitlines())) <= 100
