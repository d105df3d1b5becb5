"""`difftem estimate-mtf`: the MTF of a detector from micrographs, with errors, without a config."""

from typing import get_args

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
from difftem.micrograph.stack_use import FrameUse
from difftem.workflows.estimate_mtf.mtf_estimate import estimate_mtf
from difftem.workflows.estimate_mtf.output import check_output

WINDOWS = ("none", "tukey", "hann")

DESCRIPTION = """Estimate the MTF of a detector from background of micrographs.

Counted electrons are white noise; what colours it is the detector. Crops of background are picked
automatically (or taken from --boxes), two exposures of a field are subtracted so that ice and
specimen cancel, all images of a stack of vacuum are used, and a curve is fitted to the noise power
by maximum likelihood, with errors. What noise gives is the noise transfer function (NTF); it is
the MTF of the signal where every electron leaves the same spot. A camera that writes each electron
as one count in one pixel (K2, K3 in counting mode without super-resolution) has white noise
whatever its MTF: that is recognised and said; use --edge there, which gives the MTF.

  difftem estimate-mtf vacuum.mrc --output mtf.star
  difftem estimate-mtf movie.tif --gain 101.4 --output mtf.star
  difftem estimate-mtf first.mrc second.mrc --dose 18.3 --dqe0 0.8 --output mtf.star
  difftem estimate-mtf edge.tif --edge --output mtf.star

Frequencies are cycles/pixel (Nyquist 0.5) of the pixels in the file."""

EPILOG = """Writes a RELION MTF STAR file (101 rows from 0 to 0.5 cycles/pixel) and beside it .csv
(curve, 95 % band, errors), .png (fit), .md (report) and _crops.png (where the crops are from).
Without --gain, or --dose with --dqe0, the level of the noise is fitted too: errors are several
times larger. Frequencies that are left out because of a specimen leave the scale of the whole
curve open: the band then holds what published cameras do there."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem estimate-mtf``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    run_estimate(_parser(), arguments, check_output, estimate_mtf)


def _parser() -> OneLineArgumentParser:
    """Make the parser; the order is that of the help."""
    parser = estimate_parser("estimate-mtf", DESCRIPTION, EPILOG)
    add = parser.add_argument
    add(
        "micrographs",
        nargs="+",
        metavar="MICROGRAPH",
        help="MRC or TIFF files: images, stacks or movies",
    )
    add_output(parser)
    add(
        "--gain",
        type=positive,
        metavar="G",
        help="grey values per counted electron: makes the noise level known, s0 = G x mean "
        "(default: it is fitted)",
    )
    add(
        "--dose",
        type=positive,
        metavar="D",
        help="instead of --gain: electrons that reach a pixel in one image (frame); the noise "
        "level is s0 = mean² / (D x DQE(0)), known with --dqe0, else fitted, and DQE(0) is printed",
    )
    add(
        "--dqe0",
        type=number("a number in (0, 1]", lambda x: 0 < x <= 1),
        metavar="Q",
        help="with --dose: DQE(0), the fraction of the electrons that is counted; 1 means all",
    )
    add(
        "--read-noise",
        type=number("a number >= 0 or 'fit'", lambda x: x >= 0, "fit"),
        default=0.0,
        metavar="S",
        help="standard deviation of the readout in one image (frame), grey values; 'fit' fits it "
        "(default: 0)",
    )
    add(
        "--family",
        default="auto",
        help="curve to fit, such as lorentzian, rullgard or log_spline_9 (9 knots); auto chooses "
        "by AIC (default: auto)",
    )
    add(
        "--boxes",
        metavar="FILE",
        help="places of the crops: EMAN .box, RELION .star, or .csv with x, y in pixels (default: "
        "picked automatically)",
    )
    add("--size", type=int, default=256, help="side of a crop in pixels (default: 256)")
    add(
        "--crops",
        type=int,
        default=50,
        metavar="N",
        help="largest number of crops to pick (default: 50)",
    )
    frequency = number("a frequency >= 0 or 'auto'", lambda x: x >= 0, "auto")
    add(
        "--min-frequency",
        type=frequency,
        default=None,
        metavar="Q",
        help="lowest frequency of the fit, cycles/pixel; auto: 0, or 0.1 where structure of the "
        "specimen is seen below that (default: auto)",
    )
    add(
        "--max-frequency",
        type=positive,
        default=0.5,
        metavar="Q",
        help="highest frequency of the fit, cycles/pixel (default: 0.5)",
    )
    add(
        "--window",
        choices=WINDOWS,
        default="tukey",
        help="taper of the crops before the Fourier transform (default: tukey)",
    )
    add(
        "--frames",
        choices=get_args(FrameUse),
        default="auto",
        help="what the images of a stack are: flat fields (vacuum: nothing to align by), exposures "
        "of one field, or frames of a movie to be added up to halves or to one image; auto: flat "
        "if they show nothing to align by, else exposures if there are four or fewer, else a movie "
        "(default: auto)",
    )
    add(
        "--fields",
        choices=("auto", "same", "separate"),
        default="auto",
        help="whether the files show the same field, whose images are subtracted, or separate "
        "ones; auto: the same if they correlate (default: auto)",
    )
    add(
        "--single",
        action="store_true",
        help="fit to single exposures rather than to differences of two",
    )
    add_pixel_size(parser)
    add(
        "--edge",
        action="store_true",
        help="the images show a straight, slanted knife edge: measure the MTF across it",
    )
    add_edge_box(parser)
    add_memory_limit(parser)
    add_overwrite(parser)
    return parser
