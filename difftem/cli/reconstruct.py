"""`difftem reconstruct`: a volume from a tilt series."""

from pathlib import Path
from typing import Any, get_args

from difftem.cli.estimate_arguments import add_memory_limit, add_overwrite, add_pixel_size, positive
from difftem.cli.one_line_parser import OneLineArgumentParser, number
from difftem.workflows.reconstruct.options import Align, Axes, Background, Contrast, Method
from difftem.workflows.reconstruct.reconstruct import reconstruct
from difftem.workflows.reconstruct.volume_file import check_volume_output

DESCRIPTION = """Reconstruct a volume from a single-axis tilt series.

  difftem reconstruct set/000000 --output volume.mrc            what difftem generate has made
  difftem reconstruct tomograms.star --tomogram TS_01 --output volume.mrc        RELION 5
  difftem reconstruct ts.ali --angles ts.tlt --thickness 300 --output volume.mrc       IMOD
  difftem reconstruct ts.st --angles ts.tlt --transforms ts.xf --thickness 300 --output volume.mrc
  difftem reconstruct denoised.mrc --angles set/000000/tomograms.star --output volume.mrc
  difftem reconstruct needle.mrc --angles needle.rawtlt --tilt-axis 0 --contrast bright \\
      --align mass --lowest 0 --thickness 128 --output needle_volume.mrc

The volume's y axis is the tilt axis, the beam runs along z; matter is bright."""
EPILOG = """Writes the volume (MRC mode 2), and beside it .png (central slices, residual) and .json
(geometry, residuals, settings)."""

finite = number("a number", lambda _: True)
degrees_or_search = number("a number of degrees, or search", lambda _: True)


def _axis(text: str) -> float | str | None:
    """Take degrees, or the word that asks for a search."""
    return text if text == "search" else degrees_or_search(text)


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem reconstruct``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    options: dict[str, Any] = vars(_parser().parse_args(arguments))
    output, overwrite = options.pop("output"), options.pop("overwrite")
    check_volume_output(output, overwrite)
    found = reconstruct(**options)
    written = found.save(output, overwrite)
    print(found.summary)
    print(f"wrote {', '.join(map(str, written))}")


def _parser() -> OneLineArgumentParser:
    """Make the parser; the order is that of the help."""
    parser = OneLineArgumentParser(
        prog="difftem reconstruct",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add(
        "tilt_series",
        metavar="TILTSERIES",
        help="images (MRC, TIFF, zarr), RELION's tomograms.star or table of one series, or a "
        "folder that difftem has made",
    )
    add(
        "--output",
        type=Path,
        required=True,
        metavar="VOL.mrc",
        help="MRC file to write, or a folder that exists for volume.mrc in it",
    )
    _add_geometry(parser)
    _add_images(parser)
    _add_optics(parser)
    _add_methods(parser)
    add(
        "--axes",
        choices=get_args(Axes),
        default="imod",
        help="order in the file: imod has columns along x, rows along -z, sections along y, as "
        "IMOD's tilt leaves a volume (trimvol -rx turns it); zyx has sections along z "
        "(default: imod)",
    )
    add(
        "--accelerator", choices=("cpu", "cuda"), default="cpu", help="what computes (default: cpu)"
    )
    add_memory_limit(parser)
    add_overwrite(parser)
    return parser


def _add_geometry(parser: OneLineArgumentParser) -> None:
    """Add what is known of tilts and axis."""
    add = parser.add_argument
    add(
        "--angles",
        metavar="FILE",
        help="tilts of the images: .tlt, .rawtlt or other text with an angle in degrees a line, in "
        "any order; .mdoc; or RELION's .star (default: such a file beside the images)",
    )
    add("--transforms", metavar="FILE.xf", help="IMOD's transforms of raw images to aligned ones")
    add("--tomogram", metavar="NAME", help="which one of a STAR file that has several")
    add(
        "--thickness",
        type=int,
        metavar="N",
        help="of the volume along z in pixels of the images before binning (default: that of "
        "RELION's file)",
    )
    add(
        "--tilt-axis",
        dest="tilt_axis_deg",
        type=_axis,
        metavar="DEG|search",
        help="direction of the tilt axis in the images in degrees, counter-clockwise from x: 90 is "
        "vertical, 0 horizontal; IMOD's rotation angle is 90 less; or search, which finds it but "
        "for 180 degrees: one of the two gives the mirror image (default: of the .mdoc; 90 of "
        ".ali)",
    )
    add(
        "--search-axis",
        dest="search_axis_deg",
        type=finite,
        metavar="DEG",
        help="search for the tilt axis within so many degrees of --tilt-axis or the file's, "
        "at most 90",
    )
    add(
        "--axis-offset",
        type=finite,
        default=0.0,
        metavar="PIXELS",
        help="how far right of pixel n // 2 the axis is in aligned images (default: 0)",
    )
    add(
        "--tilt-offset",
        dest="tilt_offset_deg",
        type=finite,
        default=0.0,
        metavar="DEG",
        help="added to all tilts (default: 0)",
    )
    add(
        "--align",
        choices=get_args(Align),
        default="none",
        help="find shifts first: correlate neighbours, stretched by 1/cos; or by the centre of "
        "mass of an object with nothing around it (default: none)",
    )
    add_pixel_size(parser)


def _add_images(parser: OneLineArgumentParser) -> None:
    """Add how grey values are understood."""
    add = parser.add_argument
    add("--bin", type=int, default=1, metavar="N", help="average squares of N pixels (default: 1)")
    add(
        "--contrast",
        choices=get_args(Contrast),
        default="dark",
        help="how matter looks in the images: dark (bright field, cryo) or bright (HAADF) "
        "(default: dark)",
    )
    add(
        "--background",
        choices=get_args(Background),
        default="auto",
        help="grey value of no matter: mean of the image, median of its border, or 0 (none); auto "
        "is the mean for dark matter, the border for bright (default: auto)",
    )


def _add_optics(parser: OneLineArgumentParser) -> None:
    """Add what flips phases."""
    add = parser.add_argument
    add(
        "--flip-phases",
        action="store_true",
        help="turn what the lens has made bright dark again, with the defocus of each strip of a "
        "tilted sample (default: no)",
    )
    add(
        "--defocus-um",
        type=finite,
        metavar="UM",
        help="defocus of all tilts on the axis in µm, underfocus positive (default: of RELION's "
        "file, tilt by tilt)",
    )
    add("--voltage-kv", type=finite, metavar="KV", help="(default: of RELION's file)")
    add(
        "--cs-mm",
        type=finite,
        metavar="MM",
        help="spherical aberration (default: of RELION's file)",
    )
    add(
        "--amplitude-contrast",
        type=finite,
        metavar="FRACTION",
        help="(default: of RELION's file, else 0.07)",
    )


def _add_methods(parser: OneLineArgumentParser) -> None:
    """Add methods and their options."""
    add = parser.add_argument
    add(
        "--method",
        choices=get_args(Method),
        default="sirt",
        help="SIRT, or weighted back-projection (default: sirt)",
    )
    add("--iterations", type=int, default=30, metavar="N", help="of SIRT (default: 30)")
    add(
        "--relaxation",
        type=finite,
        default=1.0,
        metavar="X",
        help="of SIRT, above 0 and below 2 (default: 1)",
    )
    add("--lowest", type=finite, metavar="D", help="least density that SIRT allows (default: any)")
    add("--highest", type=finite, metavar="D", help="largest one (default: any)")
    add(
        "--stop-at",
        type=finite,
        default=0.0,
        metavar="R",
        help="relative residual at which SIRT ends early (default: 0, never)",
    )
    add(
        "--cutoff",
        type=positive,
        default=0.35,
        metavar="K",
        help="of wbp: where the ramp's Gaussian edge begins in cycles/pixel (default: 0.35)",
    )
    add(
        "--falloff",
        type=finite,
        default=0.035,
        metavar="K",
        help="of wbp: how wide that edge is in cycles/pixel (default: 0.035)",
    )
