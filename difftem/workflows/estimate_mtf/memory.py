"""How much memory an estimate will need, before it reads its images."""

from difftem.io.pixel_count import count_pixels
from difftem.simulation.memory import check_memory
from difftem.workflows.estimate_mtf.options import EstimateOptions

# Fitted from above to the peaks of 0.3 to 47 million pixels: interpreter and libraries, a pixel of
# the files, a pixel of the crops that are cut from them, a pixel of images of an edge.
BASE_BYTES, BYTES_PER_PIXEL, BYTES_PER_CROP_PIXEL, BYTES_PER_EDGE_PIXEL = 600e6, 54, 45, 225


def estimate_bytes(*parts: EstimateOptions) -> float:
    """Peak memory of estimates that follow each other in one process, in bytes.

    Parameters
    ----------
    *parts : EstimateOptions
        Their files must exist.

    Returns
    -------
    float
        Bytes.

    Raises
    ------
    InputError
        If a file is missing.
    """
    total = BASE_BYTES
    for options in parts:
        pixels = sum(count_pixels(path) for path in options.micrographs)
        if options.edge:
            total += BYTES_PER_EDGE_PIXEL * pixels
        else:
            crops = min(options.crops * options.size**2, pixels)
            total += BYTES_PER_PIXEL * pixels + BYTES_PER_CROP_PIXEL * crops
    return total


def check_estimate_memory(*parts: EstimateOptions) -> None:
    """Refuse estimates that cannot fit into memory, or into what is allowed.

    Parameters
    ----------
    *parts : EstimateOptions
        All with the same `memory_limit_gb`.

    Raises
    ------
    ValueError
        If they cannot fit, in one line.
    """
    check_memory(
        estimate_bytes(*parts),
        limit_gb=parts[0].memory_limit_gb,
        advice="fewer files, fewer images in them, or a smaller size would do",
    )
