"""`difftem estimate-dqe`: the DQE of a detector from a knife edge and flat fields."""

from difftem.cli.estimate_arguments import (
    add_edge_box,
    add_memory_limit,
    add_output,
    add_overwrite,
    add_pixel_size,
    estimate_parser,
    positive,
    run_estimate,
)
from difftem.cli.one_line_parser import OneLineArgumentParser, number
from difftem.workflows.estimate_dqe.dqe_estimate import estimate_dqe
from difftem.workflows.estimate_dqe.output import check_output

DESCRIPTION = """Estimate the DQE of a detector from a knife edge and flat fields.

The MTF is that of a slanted knife edge, the noise power spectrum (NPS) that of flat fields, such as
vacuum; of a stack differences are taken, so that what a gain reference leaves cancels. With the
dose that reaches the camera, DQE(q) = MTF(q)^2 / (dose x NPS(q) / mean^2); without it,
DQE(q) / DQE(0).

  difftem estimate-dqe --edge edge.mrc --flat vacuum.mrc --dose 20 --output dqe.star

To try it on images whose DQE is known:

  difftem simulate vacuum --exposure.exposures 8 --output flat
  difftem simulate edge --exposure.dose_e_per_a2 400 --output edge
  difftem estimate-dqe --edge edge/micrograph.mrc --flat flat/micrograph.mrc --dose 30 \\
      --output dqe.star

Frequencies q are cycles/pixel (Nyquist 0.5). Any offset of the camera must be off the images."""

EPILOG = """Writes a STAR file (the MTF as RELION reads it, and a block with the other curves) and
beside it .csv (MTF, NPS, NNPS, NTF, DQE with its 95 % band), .png and .md."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem estimate-dqe``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    run_estimate(_parser(), arguments, check_output, estimate_dqe)


def _parser() -> OneLineArgumentParser:
    """Make the parser; the order is that of the help."""
    parser = estimate_parser("estimate-dqe", DESCRIPTION, EPILOG)
    add = parser.add_argument
    for name, field, what in (
        ("--edge", "edges", "images of a slanted knife edge"),
        ("--flat", "flat_fields", "flat fields, stacks or files"),
    ):
        add(
            name,
            dest=field,
            nargs="+",
            required=True,
            metavar="FILE",
            help=f"MRC or TIFF: {what}",
        )
    add_output(parser)
    add(
        "--dose",
        type=positive,
        metavar="D",
        help="electrons that reach a pixel of one flat field (default: DQE(q) / DQE(0) is given)",
    )
    add(
        "--dose-e-per-a2",
        type=positive,
        metavar="D",
        help="the same in e/Å², with the pixel size of the header or --pixel-size",
    )
    add_pixel_size(parser)
    add(
        "--read-noise",
        type=number("a number >= 0 or 'fit'", lambda x: x >= 0, "fit"),
        default=0.0,
        metavar="S",
        help="standard deviation of the readout in one image, grey values, left out of the NPS; "
        "'fit' fits it (default: 0)",
    )
    add(
        "--family",
        default="rullgard",
        help="curve that continues the noise to frequency 0 (default: rullgard)",
    )
    add(
        "--size",
        type=int,
        default=256,
        help="side of a crop of the flat fields, pixels (default: 256)",
    )
    add(
        "--crops",
        type=int,
        default=50,
        metavar="N",
        help="largest number of crops to take (default: 50)",
    )
    add_edge_box(parser)
    add_memory_limit(parser)
    add_overwrite(parser)
    return parser
