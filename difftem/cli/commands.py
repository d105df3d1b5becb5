"""The commands, grouped by task: a line here is all that one needs to be found."""

from typing import NamedTuple


class Command(NamedTuple):
    """Module with ``main(arguments)`` and ``_parser()``, and what it does for ``--help``."""

    module: str
    what: str


GROUPS = {
    "Make images": {
        "simulate": Command(
            "difftem.cli.simulate", "image a structure: micrograph, tilt or focus series"
        ),
        "generate": Command(
            "difftem.cli.generate", "make sets of micrographs of many particles, with their truth"
        ),
    },
    "Measure and fit": {
        "estimate-mtf": Command(
            "difftem.cli.estimate_mtf", "measure a detector's MTF from micrographs"
        ),
        "estimate-dqe": Command(
            "difftem.cli.estimate_dqe", "measure a detector's DQE from edge and flat fields"
        ),
        "fit": Command("difftem.cli.fit", "fit a model to data with Lightning, configured in YAML"),
        "test": Command("difftem.cli.fit", "test a fitted model on other data"),
    },
    "Denoise and analyze": {
        "denoise": Command(
            "difftem.cli.denoise", "take the noise off a micrograph, movie or tilt series"
        ),
        "analyze": Command(
            "difftem.cli.analyze", "find the atomic columns of an image, and which are real"
        ),
    },
    "Volumes": {
        "reconstruct": Command(
            "difftem.cli.reconstruct", "reconstruct a volume from a tilt series"
        ),
        "compare": Command(
            "difftem.cli.compare", "compare images or volumes: FRC, FSC, errors, a report"
        ),
        "render": Command(
            "difftem.cli.render", "render volumes: a picture, a movie, or a page that turns them"
        ),
    },
    "Find out": {
        "docs": Command("difftem.cli.docs", "print what the documentation says of a topic"),
        "completion": Command(
            "difftem.cli.completion", "print what lets your shell complete commands and options"
        ),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}
_MORE = """Other options:
  --help        this text; difftem COMMAND --help explains a command's options and their units
  --version     version of difftem

Exit codes: 0 done; 1 an error of this program; 2 bad input or not enough memory; 130 interrupted
(Ctrl-C or SIGTERM). An error is one line on standard error; DIFFTEM_DEBUG=1 shows where."""


def help_text() -> str:
    """List the commands by task, a sentence each, and what holds for all of them."""
    width = max(map(len, COMMANDS)) + 1
    lines = ["usage: difftem COMMAND [options]"]
    for title, commands in GROUPS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:<{width}} {command.what}" for name, command in commands.items()]
    return "\n".join([*lines, "", _MORE])
