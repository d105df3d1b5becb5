"""What the commands that estimate a detector have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from difftem.cli.one_line_parser import OneLineArgumentParser, number

positive = number("a positive number", lambda x: x > 0)


class Estimate(Protocol):
    """What an estimate tells, and writes."""

    @property
    def summary(self) -> str:
        """A few lines."""

    def save(self, path: str | Path, overwrite: bool = False) -> list[Path]:
        """Write all files, and name them."""


def estimate_parser(command: str, description: str, epilog: str) -> OneLineArgumentParser:
    """Make a parser without options, of ``difftem`` and the command."""
    return OneLineArgumentParser(
        prog=f"difftem {command}",
        description=description,
        epilog=epilog,
    )


def add_output(parser: OneLineArgumentParser) -> None:
    """Add where to write."""
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE.star",
        help="STAR file to write; the others get its name",
    )


def add_pixel_size(parser: OneLineArgumentParser) -> None:
    """Add the pixel size."""
    parser.add_argument(
        "--pixel-size",
        type=positive,
        metavar="A",
        help="pixel size in Å (default: that of the header)",
    )


def add_edge_box(parser: OneLineArgumentParser) -> None:
    """Add which part of the images shows the edge."""
    parser.add_argument(
        "--edge-box",
        type=int,
        nargs=4,
        metavar=("X", "Y", "W", "H"),
        help="part of the images with the edge and nothing else: x, y of its corner, width, height "
        "in pixels (default: the whole image)",
    )


def add_memory_limit(parser: OneLineArgumentParser) -> None:
    """Add what the run may take."""
    parser.add_argument(
        "--memory-limit",
        dest="memory_limit_gb",
        type=positive,
        metavar="GB",
        help="memory that the run may take in GB (default: what the machine has free)",
    )


def add_overwrite(parser: OneLineArgumentParser) -> None:
    """Add whether to replace files."""
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def run_estimate(
    parser: OneLineArgumentParser,
    arguments: list[str],
    check_output: Callable[[Path, bool], None],
    estimate: Callable[..., Estimate],
) -> None:
    """Estimate, say what was found, and write it.

    Parameters
    ----------
    parser : OneLineArgumentParser
        With ``--output`` and ``--overwrite``; its other options are those of `estimate`.
    arguments : list of str
        What follows the command.
    check_output : callable
        Refuses an output before the work.
    estimate : callable
        Does the work.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    options: dict[str, Any] = vars(parser.parse_args(arguments))
    output, overwrite = options.pop("output"), options.pop("overwrite")
    check_output(output, overwrite)
    found = estimate(**options)
    print(found.summary)
    print(f"wrote {', '.join(str(path) for path in found.save(output, overwrite))}")
