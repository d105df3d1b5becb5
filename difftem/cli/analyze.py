"""`difftem analyze`: which columns an image shows, and which of them are real."""

from pathlib import Path
from typing import Any, get_args

from difftem.analysis.atomic_columns import Contrast
from difftem.cli.estimate_arguments import add_overwrite, add_pixel_size, positive
from difftem.cli.one_line_parser import OneLineArgumentParser
from difftem.io.staged_folder import check_folder
from difftem.workflows.analyze.analyze import analyze
from difftem.workflows.analyze.options import PresentColumn, TestedColumns

DESCRIPTION = """Find the atomic columns of a denoised image, and ask its counts which are real.

The image is denoised and its columns are found. Each is tested: how much more likely are the counts
of its disc with a column that looks as its neighbours do than with a smooth surface through the
rim of the disc? What a frame without the column reaches is taken from null frames, drawn from the
denoised image with the disc replaced and denoised again. Gradient maps show which counts a pixel of
the denoised image is made of.

  difftem analyze frame.mrc --output folder
  difftem analyze frame.mrc --columns all --output folder        every column, not only surfaces
  difftem analyze frame.mrc --columns none --gradient 352 210 --output folder

"""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem analyze``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    given: dict[str, Any] = vars(_parser().parse_args(arguments))
    output, overwrite = given.pop("output"), given.pop("overwrite")
    check_folder(output, overwrite)
    result = analyze(given.pop("image"), **given)
    written = result.save(output, overwrite)
    print(result.summary)
    print(f"wrote {', '.join(map(str, written))}")


def _parser() -> OneLineArgumentParser:
    """Make the parser; the order is that of the help."""
    parser = OneLineArgumentParser(
        prog="difftem analyze",
        description=DESCRIPTION,
        epilog="Writes columns.csv (a line for each column: place, verdict, log-likelihood ratio "
        "and threshold in nats, SBD's ratio), likelihood.png, periodicity.png, gradient_*.png and "
        "analysis.json (all numbers).",
    )
    add = parser.add_argument
    add("image", metavar="IMAGE", help="MRC or TIFF file of counted electrons")
    add("--output", type=Path, required=True, metavar="FOLDER", help="folder to write")
    add(
        "--method",
        default="auto",
        help="denoiser, as of difftem denoise (default: auto); networks and wiener have gradient "
        "maps",
    )
    add("--weights", metavar="NAME", help="of the method, as of difftem denoise")
    add_pixel_size(parser)
    add("--gain", type=positive, metavar="G", help="grey values per counted electron")
    add(
        "--dose",
        type=positive,
        metavar="D",
        help="instead of --gain: counted electrons per pixel in one image (frame)",
    )
    add(
        "--columns",
        choices=get_args(TestedColumns),
        default="surface",
        help="which are tested (default: surface, those beside vacuum)",
    )
    add(
        "--present",
        choices=get_args(PresentColumn),
        default="neighbours",
        help="what a column that is there looks like: its nearest neighbours, or itself in the "
        "denoised image, which has less power (default: neighbours)",
    )
    add(
        "--contrast",
        choices=get_args(Contrast),
        default="white",
        help="whether columns are brighter than what is around them (default: white)",
    )
    add(
        "--radius",
        type=positive,
        default=0.75,
        metavar="A",
        help="of the disc of a column, core and ring, in Å (default: 0.75)",
    )
    add(
        "--null-frames",
        type=int,
        default=59,
        metavar="N",
        help="frames without the column that its threshold is from (default: 59)",
    )
    add(
        "--level",
        type=positive,
        default=0.05,
        metavar="P",
        help="share of columns that are not there and pass (default: 0.05)",
    )
    add(
        "--vacuum",
        type=positive,
        metavar="E",
        help="electrons per pixel of vacuum, for SBD's ratio (default: the mean of what is further "
        "than 4 Å from all columns)",
    )
    add(
        "--gradient",
        type=int,
        nargs=2,
        action="append",
        default=[],
        metavar=("X", "Y"),
        help="pixel of a gradient map, may be given more than once (default: a column at a "
        "surface, one of the bulk, and vacuum)",
    )
    add(
        "--truth",
        metavar="FILE.csv",
        help="true columns, x_pixel and y_pixel and perhaps surface: precision and recall are told",
    )
    add(
        "--tolerance",
        type=positive,
        default=0.6,
        metavar="A",
        help="Å between a found and a true column (default: 0.6)",
    )
    add(
        "--no-balance",
        dest="balance",
        action="store_false",
        help="take all that a network adds to Wiener's filter",
    )
    add(
        "--force",
        action="store_true",
        help="go on with images whose noise is not that of counted electrons",
    )
    add("--seed", type=int, default=0, help="of the null frames (default: 0)")
    add(
        "--accelerator",
        choices=("cpu", "cuda"),
        default="cpu",
        help="what computes (default: cpu)",
    )
    add_overwrite(parser)
    return parser
