"""`difftem compare`: images or volumes against each other, and against a truth."""

from pathlib import Path
from typing import Any, get_args

from difftem.cli.estimate_arguments import add_memory_limit, add_overwrite, add_pixel_size, positive
from difftem.cli.one_line_parser import OneLineArgumentParser, number
from difftem.io.volume import FileAxes
from difftem.workflows.compare.compare import compare
from difftem.workflows.compare.options import CompareKind, GreyFit
from difftem.workflows.compare.output import check_report_output

DESCRIPTION = """Compare images or volumes with a truth, or with each other.

  difftem compare wbp.mrc sirt.mrc --truth truth.mrc --tilts ts.tlt --output report.html
  difftem compare denoised.mrc recorded.mrc --truth clean.mrc --output report
  difftem compare half1.mrc half2.mrc --mask sphere --output halves.md

With a truth each file is compared with it. Two files without one are taken for halves of the data,
and of more files each is compared with the first. Nothing is aligned or resampled."""
EPILOG = """Writes one HTML page with everything in it; or Markdown with pictures and CSV tables
beside it, or in a folder."""

finite = number("a number", lambda _: True)


def main(arguments: list[str]) -> None:
    """Run the command with what follows ``difftem compare``."""
    options: dict[str, Any] = vars(_parser().parse_args(arguments))
    output, overwrite = options.pop("output"), options.pop("overwrite")
    between = options.pop("tilt_range")
    if between is not None:
        options["tilts"] = tuple(between)
    check_report_output(output, overwrite)
    found = compare(*options.pop("files"), **options)
    written = found.save(output, overwrite)
    print(found.summary)
    print(f"wrote {', '.join(map(str, written))}")


def _parser() -> OneLineArgumentParser:
    """Make the parser; the order is that of the help."""
    parser = OneLineArgumentParser(
        prog="difftem compare",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add(
        "files",
        nargs="+",
        metavar="FILE",
        help="images or stacks (MRC, TIFF, zarr), or volumes (MRC), of one shape and pixel size",
    )
    add("--truth", metavar="FILE", help="what is true, of the same shape and pixel size")
    add(
        "--output",
        type=Path,
        required=True,
        metavar="REPORT",
        help=".html: one page with everything in it; .md: Markdown with its pictures beside it; "
        "else a folder",
    )
    add(
        "--kind",
        choices=get_args(CompareKind),
        default="auto",
        help="what the files hold: an image, a stack of images, or a volume (default: auto, by "
        "the name's ending and the header's space group)",
    )
    tilts = parser.add_mutually_exclusive_group()
    tilts.add_argument(
        "--tilts",
        metavar="ANGLES",
        help="file of the tilts that volumes were reconstructed from (.tlt, .rawtlt, .mdoc; "
        "degrees, about y): shells without the missing wedge as well",
    )
    tilts.add_argument(
        "--tilt-range",
        nargs=2,
        type=finite,
        metavar=("LOW", "HIGH"),
        help="the same by the lowest and the highest tilt in degrees",
    )
    add(
        "--mask",
        default="hann",
        metavar="MASK",
        help="hann: everything, fading to the edges for Fourier transforms; sphere: a ball or disc "
        "with a cosine edge; none; or a file with weights of 0 to 1. Sphere and file also limit "
        "the errors; the background is outside (default: hann)",
    )
    add(
        "--mask-diameter",
        type=positive,
        metavar="A",
        help="of the sphere in Å (default: 0.8 of the shortest side)",
    )
    add(
        "--fit",
        choices=get_args(GreyFit),
        default="affine",
        help="grey values for NMSE, PSNR and SSIM: scale and offset fitted to the truth, or as "
        "they are (default: affine)",
    )
    add_pixel_size(parser)
    for name, whose in {"--axes": "the files", "--truth-axes": "the truth"}.items():
        add(
            name,
            choices=get_args(FileAxes),
            default="auto",
            help=f"order of the axes in volumes, of {whose}: imod has sections along y and rows "
            "along -z, zyx sections along z; auto knows what difftem has written, and else is zyx "
            "(default: auto)",
        )
    add_memory_limit(parser)
    add_overwrite(parser)
    return parser
