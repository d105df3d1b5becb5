"""`difftem docs`: the documentation, a topic at a time."""

from difftem.cli.one_line_parser import OneLineArgumentParser
from difftem.workflows.explain.pages import explain
from difftem.workflows.explain.topics import topic_list

DESCRIPTION = """Print what the documentation says of a topic or command; without one, list topics.

  difftem docs
  difftem docs sampling
  difftem docs tilt axis
  difftem docs denoise
  difftem docs units --page          the whole page that it is from"""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem docs``.

    Raises
    ------
    ValueError
        For an unknown topic, in one line.
    """
    given = _parser().parse_args(arguments)
    print(explain(" ".join(given.topic), given.page) if given.topic else topic_list())


def _parser() -> OneLineArgumentParser:
    """Make the parser."""
    parser = OneLineArgumentParser(
        prog="difftem docs",
        description=DESCRIPTION,
    )
    parser.add_argument("topic", nargs="*", metavar="TOPIC", help="what to explain")
    parser.add_argument("--page", action="store_true", help="print the whole page that it is from")
    return parser
