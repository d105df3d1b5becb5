"""`difftem render`: pictures and movies of volumes."""

from pathlib import Path
from typing import Any, get_args

from difftem.cli.estimate_arguments import add_memory_limit, add_overwrite, positive
from difftem.cli.one_line_parser import OneLineArgumentParser, number
from difftem.io.volume import FileAxes
from difftem.workflows.render.options import Backdrop, Matter, Preset, Style, check_times
from difftem.workflows.render.output import check_render_output
from difftem.workflows.render.render import render

DESCRIPTION = """Render volumes: a picture, a movie once round, or a page that turns them.

  difftem render volume.mrc --output volume.png
  difftem render volume.mrc --output volume.mp4                      10 s, once round y
  difftem render noisy.mrc denoised.mrc --output both.html           side by side, to be turned
  difftem render needle.mrc --preset dark-field --output needle.png
  difftem render volume.mrc --style slices --output slices.png       needs no graphics

Matter is bright, as difftem reconstruct leaves it; --contrast dark turns volumes of others. Those
given together have the same transfer function and camera."""
EPILOG = """What `difftem reconstruct` has written comes out upright by itself; what IMOD's tilt
has written, with --axes imod. Needs the extra "render" (pyvista), but for slices."""

finite = number("a number", lambda _: True)


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem render``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    options: dict[str, Any] = vars(_parser().parse_args(arguments))
    output, overwrite = options.pop("output"), options.pop("overwrite")
    seconds, fps = options.pop("seconds"), options.pop("fps")
    check_times(seconds, fps)
    check_render_output(output, overwrite, options["style"])
    found = render(**options)
    written = found.save(output, overwrite, seconds, fps)
    print(found.summary)
    print(f"wrote {', '.join(map(str, written))}")


def _parser() -> OneLineArgumentParser:
    """Make the parser; the order is that of the help."""
    parser = OneLineArgumentParser(
        prog="difftem render",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("volumes", nargs="+", metavar="VOL.mrc", help="MRC volumes, shown side by side")
    add(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help=".png, .mp4 or .gif (movie), or .html (a page in one file)",
    )
    add("--titles", nargs="+", metavar="TEXT", help="of the panels (default: names of the files)")
    add(
        "--style",
        choices=get_args(Style),
        help="all densities, the surface at the threshold, or central slices (default: volume)",
    )
    _add_look(parser)
    _add_camera(parser)
    _add_volume(parser)
    add_memory_limit(parser)
    add_overwrite(parser)
    return parser


def _add_look(parser: OneLineArgumentParser) -> None:
    """Add what is shown, and how."""
    add = parser.add_argument
    add(
        "--preset",
        choices=get_args(Preset),
        default="cryo",
        help="colours, opacity and light (default: cryo)",
    )
    add(
        "--threshold",
        type=finite,
        metavar="D",
        help="density below which nothing is seen, and at which surfaces are (default: 3 "
        "deviations of the noise above the background, of all volumes together)",
    )
    add(
        "--top",
        type=finite,
        metavar="D",
        help="density from which on colour and opacity stay (default: the 98th percentile of "
        "what is above the threshold)",
    )
    add(
        "--opacity",
        type=positive,
        default=1.0,
        metavar="X",
        help="factor on that of the preset (default: 1)",
    )
    add("--backdrop", choices=get_args(Backdrop), help="behind it (default: that of the preset)")


def _add_camera(parser: OneLineArgumentParser) -> None:
    """Add where it is seen from, and for how long."""
    add = parser.add_argument
    add(
        "--azimuth",
        dest="azimuth_deg",
        type=finite,
        default=30.0,
        metavar="DEG",
        help="of the camera about y: 0 looks along -z with x to the right and y up, 90 looks "
        "along -x (default: 30)",
    )
    add(
        "--elevation",
        dest="elevation_deg",
        type=finite,
        default=15.0,
        metavar="DEG",
        help="of the camera: 90 looks along -y (default: 15)",
    )
    add(
        "--size",
        type=int,
        metavar="N",
        help="side of a panel in pixels (default: 800, 512 in movies, 400 of slices)",
    )
    add(
        "--seconds",
        type=positive,
        default=10.0,
        metavar="S",
        help="that once round takes (default: 10)",
    )
    add("--fps", type=positive, default=20.0, metavar="N", help="frames a second (default: 20)")


def _add_volume(parser: OneLineArgumentParser) -> None:
    """Add how files are read."""
    add = parser.add_argument
    add(
        "--axes",
        choices=get_args(FileAxes),
        default="auto",
        help="order in the files: imod has sections along y and rows along -z, zyx sections along "
        "z (default: auto, as the label of difftem reconstruct says, else zyx)",
    )
    add(
        "--contrast",
        choices=get_args(Matter),
        default="bright",
        help="how matter looks in the files; with dark, grey values change their sign before all "
        "else (default: bright)",
    )
    add(
        "--voxel-size",
        type=positive,
        metavar="A",
        help="side of a voxel in Å (default: that of the header)",
    )
    add(
        "--crop",
        type=int,
        nargs=6,
        metavar=("X", "Y", "Z", "W", "H", "D"),
        help="part to show: first voxel along x, y, z, and how many (default: all)",
    )
    add(
        "--bin",
        type=int,
        metavar="N",
        help="average cubes of N voxels (default: what leaves 33 million voxels)",
    )
    add(
        "--smooth",
        type=finite,
        default=0.0,
        metavar="VOXELS",
        help="standard deviation of a Gaussian filter before (default: 0)",
    )
