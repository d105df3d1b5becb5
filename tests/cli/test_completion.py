"""What a shell completes, asked of bash itself."""

import shutil
import subprocess

import pytest

from difftem.cli.commands import COMMANDS
from difftem.cli.completion import SHELLS, completion
from difftem.cli.main import main

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_difftem difftem "${@: -1}" "${@: -2:1}"
echo "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script of bash, on disk."""
    path = tmp_path_factory.mktemp("completion") / "difftem"
    path.write_text(completion("bash"), "utf-8")
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["sim"], ["simulate"]),
        (["estimate"], ["estimate-mtf", "estimate-dqe"]),
        (["simulate", "--microscope.defocus_n"], ["--microscope.defocus_nm"]),
        (["simulate", "--files.format", ""], ["mrc", "tiff", "zarr"]),
        (["simulate", "--ice.present", "t"], ["true"]),
        (["generate", "--particles.h"], ["--particles.help"]),
        (["denoise", "--frames", "e"], ["exposures", "even_odd"]),
        (["fit", "--model", "difftem.tasks.mtf"], ["difftem.tasks.mtf_fit.MTFFit"]),
        (["fit", "--trainer.max_ep"], ["--trainer.max_epochs"]),
        (["docs", "tilt"], ["tilt-axis"]),
        (["completion", "z"], ["zsh"]),
    ],
)
def test_bash_completes(script, words, found):
    command = ["bash", "-c", ASK, "bash", str(script), "difftem", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == found and not done.stderr


def test_bash_completes_files(script, tmp_path):
    (tmp_path / "virus.pdb").touch()
    for words in (["simulate", "vir"], ["denoise", "vir"], ["fit", "--config", "vir"]):
        command = ["bash", "-c", ASK, "bash", str(script), "difftem", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert done.stdout.split() == ["virus.pdb"], words


def test_every_command_is_in_the_script(script):
    text = script.read_text("utf-8")
    for name in COMMANDS:
        assert f"_shtab_difftem_{name.replace('-', '_')}_option_strings=(" in text, name


def test_an_unknown_shell_is_one_line(capsys):
    assert main(["completion", "sh"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("difftem: error: argument shell: invalid choice: 'sh'")
    assert all(shell in error for shell in SHELLS) and error.count("\n") == 1
