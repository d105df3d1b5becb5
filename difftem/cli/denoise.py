"""`difftem denoise`: what an image shows, without its noise."""

from pathlib import Path
from typing import Any, get_args

from difftem.cli.estimate_arguments import add_memory_limit, add_overwrite, add_pixel_size, positive
from difftem.cli.one_line_parser import OneLineArgumentParser
from difftem.workflows.denoise.denoise import denoise_files
from difftem.workflows.denoise.methods import METHODS
from difftem.workflows.denoise.options import DenoiseFrames, DenoiseOptions
from difftem.workflows.denoise.output import check_outputs, output_name

DESCRIPTION = """Denoise micrographs, exposures of a field, movies and tilt series.

The camera's noise is found first, and said: how many electrons a pixel has, and whether the noise
is white. What the method gives is in the grey values of the input, its mean is that of the input.

  difftem denoise micrograph.mrc --output denoised.mrc
  difftem denoise movie.tif --output denoised.mrc
  difftem denoise tilts.mrc --output denoised.mrc
  difftem denoise first.mrc second.mrc --output denoised.mrc     exposures of one field
  difftem denoise *.mrc --fields separate --output folder        a file for each field

"""


def main(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        What follows ``difftem denoise``.

    Raises
    ------
    ValueError
        For bad input, in one line.
    """
    given: dict[str, Any] = vars(_parser().parse_args(arguments))
    images, output, overwrite = (given.pop(name) for name in ("images", "output", "overwrite"))
    extras = [*given.pop("save"), *(["marked"] if given["mark"] else [])]
    given["std"] = True if "std" in extras else None
    options = DenoiseOptions(**given)
    is_file = check_outputs(images, output, overwrite, extras)
    for result in denoise_files(images, options, single=is_file):
        if not is_file:
            output.mkdir(exist_ok=True)
        path = output if is_file else output / output_name(result.files[0])
        written = result.save(path, overwrite, extras)
        print(result.summary)
        print(f"wrote {', '.join(map(str, written))}")


def _parser() -> OneLineArgumentParser:
    """Make the parser; the order is that of the help."""
    methods = "\n".join(f"  {name:<13} {method.what}" for name, method in METHODS.items())
    parser = OneLineArgumentParser(
        prog="difftem denoise",
        description=f"{DESCRIPTION}Methods:\n{methods}",
        epilog="Writes the image (MRC mode 2, or TIFF), and beside it .md (report), .png (input, "
        "denoised, spectra) and .json (all numbers).",
    )
    add = parser.add_argument
    add("images", nargs="+", metavar="IMAGE", help="MRC or TIFF files: images, stacks or movies")
    add(
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="MRC or TIFF file to write; or a folder, for files that show separate fields: each "
        "is written under its own name",
    )
    add("--method", default="auto", help="see above (default: auto, what was measured to be best)")
    add(
        "--frames",
        choices=get_args(DenoiseFrames),
        default="auto",
        help="what the images of a stack are: exposures of one field; frames of a movie, in two "
        "halves or added up; or separate images, such as a tilt series; auto finds out "
        "(default: auto)",
    )
    add(
        "--fields",
        choices=("auto", "same", "separate"),
        default="auto",
        help="whether the files show the same field or separate ones; auto: the same if they "
        "correlate (default: auto)",
    )
    add("--detector", metavar="NAME", help="preset of the camera, such as k3_300kv")
    add("--mtf", metavar="FILE", help="noise transfer function: RELION STAR, or .csv, .txt")
    add("--gain", type=positive, metavar="G", help="grey values per counted electron")
    add(
        "--dose",
        type=positive,
        metavar="D",
        help="instead of --gain: counted electrons per pixel in one image (frame)",
    )
    add_pixel_size(parser)
    add(
        "--weights",
        metavar="NAME",
        help="of method sbd: weights of the package, or a file NAME.safetensors (default: cryo, "
        "and atoms for pixels below 0.2 Å); of noise2noise: such a file; of topaz: a model of its "
        "own (default: unet); of topaz_trained: a file that it has saved",
    )
    add(
        "--adapt",
        type=positive,
        metavar="MINUTES",
        help="of method sbd: fine-tune the network on the images themselves, so long",
    )
    add(
        "--minutes",
        type=positive,
        metavar="MINUTES",
        help="of methods split and n2n: train so long (default: 3)",
    )
    add(
        "--no-balance",
        dest="balance",
        action="store_false",
        help="take all that a network adds to Wiener's filter; else, at each frequency, so much "
        "as electrons that it has not seen confirm",
    )
    add(
        "--rotations",
        action="store_true",
        help="average a network over 8 orientations: a little better, 8 times as long",
    )
    add(
        "--mark",
        action="store_true",
        help="find what exceeds what the method makes of blank images of this dose, and write it "
        "as OUT_marked.mrc",
    )
    add(
        "--force",
        action="store_true",
        help="go on with images whose noise cannot be modelled: of 8 bits, or clipped",
    )
    add("--seed", type=int, default=0, help="of methods that draw (default: 0)")
    add(
        "--accelerator",
        choices=("cpu", "cuda"),
        default="cpu",
        help="what computes (default: cpu)",
    )
    add(
        "--save",
        nargs="+",
        choices=("std", "residual"),
        default=[],
        metavar="WHAT",
        help="images to write beside it: std, the standard deviation, as OUT_std.mrc; residual, "
        "what was taken off, as OUT_residual.mrc (default: none)",
    )
    add_memory_limit(parser)
    add_overwrite(parser)
    return parser
